"""The lasting record, in SQLite or PostgreSQL: one module a noun, one function a question.

The store decides nothing: it keeps what the jobs decided and answers what they ask. Every function
takes an open connection; `engine.Store` opens them.
"""
