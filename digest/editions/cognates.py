"""Turns a German stem into the English one that technology news uses for the same thing.

A table made by hand, of single words; it never translates a text.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from digest.editions.stems import fold, stem

#: English before the sign of equality, German after it; the words of one entry mean one thing
_TABLE: Final = """
    algorithm = Algorithmus; antibiotic = Antibiotikum Antibiotika; author writer = Autor
    Schriftsteller; bacteria germ = Bakterie Keim Erreger; breast = Brust; call = Anruf anrufen
    Telefonat; candidate = Kandidat Kandidatin; clone = Klon klonen; conversation chat = Gespräch
    Chat; cool cooling = Kühlung kühlen; credit loan = Kredit; driver = Fahrer; essay =
    Aufsatz Hausarbeit; exam examination = Prüfung Klausur; fake faked = Fälschung gefälscht
    falsch; licence license = Lizenz; molecule = Molekül; mouse mice = Maus Mäuse; neural =
    neuronal; parcel package = Paket; pharmacy = Apotheke; resistant = resistent; risk risky =
    Risiko riskant; song = Lied; standard = Norm Standard; tumour tumor = Tumor;
    acquire acquisition acquires buy buys bought takeover purchase = übernehmen übernimmt
    übernahm Übernahme kaufen kauft kaufte gekauft Kauf Zukauf erwirbt erwerben; agreement deal
    = Einigung Abkommen Vereinbarung einigen einigt; aircraft plane airplane = Flugzeug; airline
    = Fluggesellschaft Airline; antitrust cartel = Kartell Kartellamt; app application =
    Anwendung App; approve approval approves approved = genehmigen genehmigt Genehmigung
    Zulassung zugelassen zulässt billigt; arm = Arm Greifarm; artificial = künstlich;
    intelligence = Intelligenz; attack = Angriff angreifen Attacke; attacker hacker = Angreifer
    Hacker; authority agency regulator watchdog = Behörde Aufsicht Regulierer Aufsichtsbehörde
    Agentur; autonomous driverless = autonom fahrerlos selbstfahrend; award prize = Preis
    Auszeichnung ausgezeichnet; ban bans banned prohibit = verbieten verbietet verboten Verbot
    untersagt; bank = Bank; battery = Batterie Akku; billion bn = Milliarde Milliarden Mrd;
    million mn = Million Millionen Mio; bill law act legislation = Gesetz Gesetzentwurf; blind =
    blind; book = Buch; border = Grenze; brain = Gehirn Hirn; breach leak = Datenleck Leck
    Panne; bridge = Brücke; coal = Kohle; bug flaw vulnerability = Lücke Sicherheitslücke
    Schwachstelle Fehler; build builds building construct construction = bauen baut gebaut Bau
    errichtet; bus = Bus; camera = Kamera; cancel cancels = streichen streicht absagen Absage;
    cancer = Krebs; car vehicle automobile = Auto Fahrzeug Wagen Pkw; carmaker automaker =
    Autobauer Autohersteller; cell = Zelle; charge charger charging = laden Ladesäule aufladen;
    chief boss ceo head = Chef Vorstandschef Chefin; child kid children = Kind Kinder; chip
    semiconductor = Chip Halbleiter; city = Stadt; claim complaint = Beschwerde; climate =
    Klima; close closes closure shut shuts = schließen schließt Schließung geschlossen dicht;
    cloud = Cloud Wolke; code = Code Quelltext; commission = Kommission; company firm = Firma
    Unternehmen Konzern; competition rival competitor = Wettbewerb Konkurrent Konkurrenz Rivale;
    computer = Rechner Computer; consumer = Verbraucher; contract = Vertrag Auftrag; copyright =
    Urheberrecht; council = Rat; country = Land; court tribunal = Gericht Gerichtshof; cost =
    kosten Kosten; crash = Absturz abgestürzt Unfall; customer client = Kunde Kundin; cut cuts
    slash slashes axe = streichen kürzen senkt senken abbauen Abbau; cyberattack = Cyberangriff
    Hackerangriff; data = Daten; database = Datenbank; datacenter datacentre = Rechenzentrum;
    death die dead died = Tod tot gestorben Tote; decide decision ruling verdict = Entscheidung
    entscheiden entscheidet Urteil; delay delays delayed postpone postpones postponed =
    verschieben verschiebt verschoben Verzögerung verspätet später; deliver delivery = liefern
    Lieferung liefert; demand = Nachfrage fordern fordert; develop developer development =
    entwickeln Entwickler Entwicklung entwickelt; device gadget = Gerät; diagnose diagnosis =
    Diagnose; disease illness = Krankheit; doctor physician = Arzt Ärztin Ärzte; door = Tür;
    drone = Drohne; drug medicine = Medikament Arznei Wirkstoff; earthquake quake = Erdbeben;
    electric = elektrisch Elektro; electricity = Strom; emission = Emission Abgas Ausstoß;
    employee worker staff workforce = Mitarbeiter Beschäftigte Angestellte Belegschaft; energy =
    Energie; engine = Motor Triebwerk; engineer = Ingenieur; europe european = Europa
    europäisch; expand expansion = ausbauen Ausbau erweitern; expensive = teuer; eye = Auge;
    factory plant = Fabrik Werk; farmer farm = Bauer Bauernhof Landwirt; fee = Gebühr; film
    movie = Film; fine penalty = Bußgeld Strafe Geldbuße; fire blaze = Brand Feuer; fish =
    Fisch; flight fly = Flug fliegen fliegt; flood = Flut Hochwasser; forest = Wald; found
    founder founded = gründen Gründer gegründet; free = kostenlos gratis frei; fund funding
    financing round = Finanzierung Finanzierungsrunde Geld Fonds Runde; future = Zukunft; game =
    Spiel; gas = Gas; german germany = deutsch Deutschland; france french = Frankreich
    französisch; britain british uk = Großbritannien britisch; china chinese = China chinesisch;
    italy italian = Italien italienisch; spain spanish = Spanien spanisch; japan japanese =
    Japan japanisch; austria austrian = Österreich österreichisch; switzerland swiss = Schweiz
    schweizer; netherlands dutch = Niederlande niederländisch; sweden swedish = Schweden
    schwedisch; norway norwegian = Norwegen norwegisch; denmark danish = Dänemark dänisch;
    poland polish = Polen polnisch; finland finnish = Finnland finnisch; korea korean = Korea
    koreanisch südkoreanisch Südkorea; india indian = Indien indisch; russia russian = Russland
    russisch; turkey turkish = Türkei türkisch; glasses = Brille; government = Regierung
    Bundesregierung; grid = Netz Stromnetz; growth grow = Wachstum wachsen wächst; hand = Hand;
    harbour harbor port = Hafen; headquarters = Zentrale Sitz; health = Gesundheit; heart =
    Herz; heat = Wärme Hitze; pump = Pumpe; hire hires hiring = einstellen Einstellung; home
    house = Haus Zuhause; hospital clinic = Krankenhaus Klinik; hour = Stunde; human = Mensch
    menschlich; hydrogen = Wasserstoff; ice = Eis; image picture photo = Bild Foto; increase
    raise raises rise rises hike = erhöhen erhöht Erhöhung steigen steigt Anstieg; industry =
    Industrie Branche; insurer insurance = Versicherung Versicherer; interest rate = Zins
    Leitzins; invest investment investor = investieren Investition Investor Geldgeber; invent
    inventor invention = erfinden Erfinder Erfindung; island = Insel; job = Stelle Arbeitsplatz
    Job; judge = Richter; lake = See; language = Sprache; launch launches launched unveil
    unveils unveiled introduce introduces present presents release releases released =
    vorstellen stellt vorgestellt veröffentlichen veröffentlicht Start startet gestartet starten
    einführen Einführung bringt; lawsuit sue sues sued suit = Klage klagen klagt verklagt
    verklagen; layoff layoffs = Entlassung Stellenabbau entlassen entlässt; learn learning =
    lernen lernt; leave resign = verlassen verlässt zurücktreten Rücktritt geht abtreten;
    library = Bibliothek; light = Licht; liquid = flüssig; lithium = Lithium; loss = Verlust;
    machine = Maschine maschinell; maker manufacturer producer = Hersteller Produzent; market =
    Markt; marketplace = Marktplatz; measure = messen Messung Maßnahme; medical = medizinisch
    Medizin; memory storage = Speicher; merge merger = Fusion fusionieren; minister ministry =
    Minister Ministerin Ministerium; mission = Mission; model = Modell; money = Geld; monopoly =
    Monopol; month = Monat; moon lunar = Mond; mountain = Berg; museum = Museum; music = Musik;
    network = Netzwerk Netz; newspaper = Zeitung; noise = Lärm; nuclear reactor = Atom Kernkraft
    Reaktor; number = Zahl; offer bid = Angebot bieten bietet; office = Büro; oil = Öl; open
    opens = öffnen öffnet eröffnen eröffnet offen; operator = Betreiber; orbit = Umlaufbahn;
    order = bestellen Bestellung; outage blackout failure = Ausfall Stromausfall ausgefallen
    Störung; parliament = Parlament Bundestag; partner partnership = Partner Partnerschaft;
    passenger = Fahrgast Passagier; password = Passwort; patch fix fixes update = flicken
    Aktualisierung Update schließt behebt; patent = Patent; patient = Patient; pay payment =
    zahlen bezahlen Zahlung; percent = Prozent; phone smartphone = Handy Telefon Smartphone;
    pilot = Pilot; plan = Plan planen plant; plastic = Kunststoff Plastik; appeal = Berufung
    Einspruch; police = Polizei; pollution = Verschmutzung; power = Leistung Kraft; price =
    Preis; print printer = drucken Drucker Druck; privacy = Datenschutz Privatsphäre; probe
    investigate investigation inquiry = Untersuchung untersuchen untersucht Ermittlung ermittelt
    prüft; production produce = Produktion produzieren; profit earnings = Gewinn; programme
    program = Programm; prosecutor = Staatsanwalt Staatsanwaltschaft; protein = Eiweiß Protein;
    provider = Anbieter; quantum = Quanten; quarter quarterly = Quartal; rail railway = Bahn
    Eisenbahn Schiene; ransom ransomware = Lösegeld Erpresser erpressen; recall recalls =
    zurückrufen Rückruf ruft; record = Rekord; recycle recycling = Recycling wiederverwerten;
    refuse reject rejects = ablehnen lehnt Ablehnung; region = Region; rent = Miete; report =
    Bericht; research researcher scientist = Forschung Forscher Forscherin Wissenschaftler
    forschen; resident = Anwohner Bewohner; restaurant = Restaurant; result = Ergebnis; revenue
    sales turnover = Umsatz Erlös; river = Fluss; road street = Straße; robot = Roboter; rocket
    = Rakete; rule regulation = Regel Regulierung Verordnung; satellite = Satellit; save =
    sparen retten; school = Schule; science = Wissenschaft; screen display = Bildschirm Anzeige;
    sea ocean = Meer Ozean; search = Suche suchen; security safety = Sicherheit sicher; sell
    sells sold sale = verkaufen verkauft Verkauf; sensor = Sensor Fühler; server = Server; share
    stock = Aktie; ship vessel = Schiff; site location = Standort; skin = Haut; sleep = Schlaf;
    smart = klug schlau; software = Software; soil = Boden; solar = Solar; sound = Ton Klang;
    source = Quelle; space spacecraft = Raumfahrt Weltraum Weltall Raumschiff; speech voice =
    Stimme Sprach; speed fast = schnell Tempo Geschwindigkeit; stake = Anteil Beteiligung; state
    = Staat; station = Station Bahnhof; steel = Stahl; stop halt = stoppen stoppt anhalten;
    store shop retailer = Laden Händler Geschäft; strike walkout = Streik streiken streikt;
    student = Student Schüler; study = Studie; subscriber subscription = Abo Abonnent
    Abonnement; subsidy = Förderung Subvention; sun = Sonne; supplier = Zulieferer Lieferant;
    support = unterstützen Unterstützung; surgery operation = Operation operieren Chirurgie; tax
    levy = Steuer; teacher = Lehrer; team = Team Gruppe Mannschaft; tenant = Mieter; test trial
    = Test testen Versuch Erprobung; theft steal stole stolen = Diebstahl gestohlen stehlen;
    ticket = Fahrkarte Ticket; tool = Werkzeug; townhall = Rathaus; train = Zug; traffic
    transport = Verkehr; tram = Straßenbahn; translate translation translator = übersetzen
    Übersetzung Übersetzer; treat treatment therapy = Behandlung behandeln Therapie; tree =
    Baum; truck lorry = Lkw Lastwagen; tunnel = Tunnel; tyre tire = Reifen; union =
    Gewerkschaft; usa us american america = USA amerikanisch Amerika; university = Universität
    Hochschule Uni; user = Nutzer Anwender Benutzer; vaccine = Impfstoff; president = Präsident;
    victim = Opfer; video = Video; village = Dorf; virus = Virus; voter election vote = Wahl
    Wähler wählen Abstimmung stimmt; warehouse = Lager; warn warning = warnen warnt Warnung;
    waste rubbish = Abfall Müll; watch clock = Uhr; water = Wasser; wave = Welle; weapon =
    Waffe; weather = Wetter; forecast = Vorhersage Prognose; week weekly = Woche wöchentlich;
    wheel = Rad; wind turbine = Wind Windrad; window = Fenster; wood timber = Holz; work =
    Arbeit arbeiten; world = Welt; year = Jahr; young = jung; one = eins; two = zwei 2; three =
    drei 3; four = vier 4; five = fünf 5; six = sechs 6; seven = sieben 7; eight = acht 8; nine
    = neun 9; ten = zehn 10; eleven = elf 11; twelve = zwölf 12; half = Hälfte halb halbiert;
    hundred = hundert 100; thousand = tausend 1000; january = Januar; february = Februar; march
    = März; june = Juni; july = Juli; october = Oktober; december = Dezember
"""


def concept(stemmed: str, language: str | None) -> str | None:
    """The English stem that stands for a stem of "de" or "en"; None where the table has none.

    Where the language is not known, both are looked up, English first.
    """
    if language is not None:
        return _concepts(language).get(stemmed)
    return _concepts("en").get(stemmed) or _concepts("de").get(stemmed)


def table_words() -> frozenset[str]:
    """All words of the table, folded: what a long German word may be made of."""
    return frozenset(fold(word) for word in _TABLE.replace(";", " ").replace("=", " ").split())


@lru_cache(maxsize=2)
def _concepts(language: str) -> dict[str, str]:
    """Stem to concept, for one language; of two entries with one word the first counts."""
    found: dict[str, str] = {}
    for entry in _TABLE.split(";"):
        english, _, german = entry.partition("=")
        first = stem(english.split()[0], "en")
        for word in (german if language == "de" else english).split():
            found.setdefault(stem(word, language), first)
    return found
