"""Severity, topic and intent of what customers of Slovak, Czech, Ukrainian, Russian and German shops write."""

import pytest

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.model import Assessment, Intent, Severity, Topic

CRITICAL = [
    ("sk", "Obrátim sa na SOI."),
    ("sk", "Nahlásim vás na Obchodnú inšpekciu."),
    ("sk", "Ak mi nevrátite peniaze, dám to právnikovi."),
    ("sk", "Napíšem do Markízy, nech o vás natočia reportáž."),
    ("sk", "Dieťa sa skoro udusilo súčiastkou."),
    ("sk", "Kopol ma prúd z tej lampy."),
    ("sk", "Peniaze mi nevrátili už dva mesiace."),
    ("cs", "Obrátím se na ČOI."),
    ("cs", "Zavolám policii."),
    ("cs", "Dítě se málem udusilo."),
    ("pl", "Zgłaszam sprawę do UOKiK."),
    ("pl", "Ładowarka się zapaliła."),
    ("hu", "A fogyasztóvédelemhez fordulok."),
    ("uk", "Пишу скаргу в Держпродспоживслужбу."),
    ("uk", "Подам заяву в кіберполіцію."),
    ("uk", "Розповім про вас журналістам."),
    ("uk", "Мене вдарило струмом."),
    ("uk", "Гроші не повертають другий місяць."),
    ("ru", "Напишу жалобу в Роспотребнадзор."),
    ("ru", "Заявление в полицию подам завтра."),
    ("ru", "После крема пошла сыпь."),
    ("ru", "Деньги не возвращают два месяца."),
    ("de", "Ich schalte die Verbraucherzentrale ein."),
    ("de", "Ich gehe damit an die Presse."),
    ("de", "Ich wende mich an den VKI und die Arbeiterkammer."),
    ("de", "Ich erstatte Anzeige bei der Polizei."),
    ("de", "Das Ladegerät hat Feuer gefangen."),
]
COURIERS = [
    ("sk", "Packeta nechala balík na daždi."),
    ("sk", "Slovak Parcel Service nedoručil zásielku."),
    ("cs", "Zásilkovna ztratila balík."),
    ("pl", "InPost zgubił paczkę."),
    ("hu", "Az MPL nem hozta ki a csomagot."),
    ("uk", "Нова Пошта загубила посилку."),
    ("uk", "Укрпошта везе вже місяць."),
    ("uk", "Meest не доставив."),
    ("ru", "СДЭК потерял посылку."),
    ("ru", "Почта России везет второй месяц."),
    ("ru", "Курьер DPD бросил коробку у двери."),
    ("de", "Hermes hat das Paket beim falschen Nachbarn abgegeben."),
    ("de", "GLS klingelt nie."),
]
AGAIN = [
    ("sk", "Už tretíkrát reklamujem to isté."),
    ("uk", "Вже втретє звертаюсь до вас."),
    ("ru", "В третий раз обращаюсь, ответа нет."),
    ("de", "Zum dritten Mal reklamiert, wieder defekt."),
]
NEWS = [
    ("sk", "Polícia hľadá svedkov nehody pri Žiline."),
    ("uk", "Поліція перекрила рух на мосту Патона."),
    ("ru", "Полиция перекрыла движение на мосту."),
    ("ru", "На улице мороз и солнце."),
    ("de", "Polizei sperrt die A8 bei Ulm."),
    ("de", "Das Gericht besteht aus Reis und Gemüse."),
    ("uk", "Верховна Рада ухвалила закон у першому читанні."),
]
INTENTS = [
    ("sk", "Ste idioti!", Intent.ABUSE),
    ("sk", "Zarábajte z domu 500 eur denne, kliknite sem http://x.y", Intent.SPAM),
    ("sk", "Prosím o zaslanie faktúry.", Intent.REQUEST),
    ("sk", "Bude to ešte skladom?", Intent.QUESTION),
    ("uk", "Ви дебіли та виродки", Intent.ABUSE),
    ("uk", "Заробіток вдома 5000 грн на день, пиши в телеграм", Intent.SPAM),
    ("uk", "Прошу надіслати рахунок.", Intent.REQUEST),
    ("ru", "Вы дебилы и уроды", Intent.ABUSE),
    ("ru", "Прошу выслать чек.", Intent.REQUEST),
    ("de", "Ihr seid Idioten", Intent.ABUSE),
    ("de", "Bitte senden Sie mir eine Rechnung.", Intent.REQUEST),
]


def assess(language: str, text: str) -> Assessment:
    return next(iter(Assessor().assess([Assessable(text=text, prior=language)])))


@pytest.mark.parametrize(("language", "text"), CRITICAL)
def test_threats_harm_and_money_kept_are_critical(language: str, text: str) -> None:
    found = assess(language, text)
    assert (found.complaint, found.severity) == (True, Severity.CRITICAL)


@pytest.mark.parametrize(("language", "text"), COURIERS)
def test_couriers_who_failed_are_a_serious_complaint_about_delivery(language: str, text: str) -> None:
    found = assess(language, text)
    assert (found.complaint, found.severity) == (True, Severity.SERIOUS)
    assert Topic.DELIVERY in found.topics


@pytest.mark.parametrize(("language", "text"), AGAIN)
def test_who_complains_again_is_taken_seriously(language: str, text: str) -> None:
    assert assess(language, text).severity.rank >= Severity.SERIOUS.rank


@pytest.mark.parametrize(("language", "text"), NEWS)
def test_the_police_the_court_and_the_frost_are_no_complaint_by_themselves(language: str, text: str) -> None:
    found = assess(language, text)
    assert (found.complaint, found.label.value) == (False, "neu"), found.reasons


@pytest.mark.parametrize(("language", "text", "intent"), INTENTS)
def test_intents(language: str, text: str, intent: Intent) -> None:
    assert assess(language, text).intent is intent
