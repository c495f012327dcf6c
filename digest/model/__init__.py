"""The nouns that the rooms share: frozen, plain, standard library only."""
