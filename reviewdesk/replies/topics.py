"""What a mention is about, in a word of the reply's language."""

from __future__ import annotations

from collections.abc import Mapping

from reviewdesk.model import Topic

_ORDER = (
    Topic.DELIVERY,
    Topic.PRODUCT,
    Topic.GOODS,
    Topic.AVAILABILITY,
    Topic.RETURNS,
    Topic.PRICE,
    Topic.STAFF,
    Topic.WEBSITE,
    Topic.PAYMENT,
)
_WORDS = {
    "cs": "doručení, výrobek, dodané zboží, dostupnost, vrácení zboží, cena, obsluha, web, platba",
    "sk": "doručenie, výrobok, dodaný tovar, dostupnosť, vrátenie tovaru, cena, obsluha, web, platba",
    "pl": "dostawa, produkt, zawartość przesyłki, dostępność, zwrot, cena, obsługa, strona internetowa, płatność",
    "uk": "доставка, товар, вміст посилки, наявність, повернення, ціна, обслуговування, сайт, оплата",
    "ru": "доставка, товар, содержимое посылки, наличие, возврат, цена, обслуживание, сайт, оплата",
    "de": "Lieferung, Produkt, gelieferte Ware, Verfügbarkeit, Rückgabe, Preis, Service, Website, Zahlung",
    "hu": "szállítás, termék, küldemény tartalma, készlet, visszáru, ár, kiszolgálás, weboldal, fizetés",
    "en": "delivery, product, goods, availability, returns, price, service, website, payment",
}
TOPIC_WORDS: Mapping[str, Mapping[Topic, str]] = {
    language: dict(zip(_ORDER, words.split(", "), strict=True)) for language, words in _WORDS.items()
}
"""Language to what each topic is called in it."""


def topic_word(topic: Topic, language: str) -> str:
    """Gives what a topic is called in a language; the English word where there is no other."""
    return TOPIC_WORDS.get(language, TOPIC_WORDS["en"])[topic]
