"""The weights of all evidence, in one place. They are in valence points, as the words' values are.

One point is about a mild word ("slow"), four the strongest ("fraud"). The sum of all shares is squashed to the compound
by `sum / sqrt(sum² + SQUASH)`, as VADER does.
"""

from __future__ import annotations

from reviewdesk.model import Severity

SQUASH = 15.0
"""The squashing constant of VADER: a sum of 4 gives a compound of 0.72."""

# --- words in a text -------------------------------------------------------------------------------------------------
NEGATED_PRAISE, NEGATED_BLAME = -0.8, -0.3
"""What a negator makes of a word: "not good" is bad, and "not bad" is barely good."""
DENIED = -0.3
"""A negator, or a negative prefix, of words of which nothing is known: what is denied is more often blamed."""
NEGATION_REACH = 3
"""How many words back a negator is looked for, within the same clause."""
BOOSTED, DAMPENED = 1.3, 0.6
"""What "very" and "a bit" make of the next word."""
BEFORE_CONTRAST, AFTER_CONTRAST = 0.5, 1.5
"""What "but" makes of the words on its two sides within a sentence."""
BESIDE_COMPLAINT = 0.3
"""What is left of praise in the sentence of a serious or critical complaint phrase: irony, or beside the point."""
EXCLAIMED = 2
"""How many words a sentence right before such a phrase has that belongs to it: "Brilliant!", "Very well."."""
ASKED, ASKED_BLAME = 0.5, -2.2
"""What is left in a question of a word that blames so strongly; other words count nothing there."""
SHOUTED = 1.25
"""A word in capitals within a text that is not all in capitals."""
EXCLAMATION, EXCLAMATIONS_MOST = 0.292, 4
"""Each exclamation mark moves the sum on in its own direction; at most four count."""
WEAK_PRAISE, WEAK_BLAME = 1.5, 0.2
"""Words that sum to less are hardly an opinion ("thanks"): so much is taken away, less up to four times."""
LONG, WEAK_BLAME_A_WORD, WEAK_BLAME_MOST = 30, 0.1, 3.5
"""A long text finds some fault whatever it thinks: blame is weak up to so much more for each word over thirty."""
MIXED, MIXED_FROM = 0.7, 2.0
"""Where good and bad words are both there, seven tenths of the smaller side's points over two are taken away."""
MIDDLING, MIDDLING_DOUBT = (2.5, 3.5), 1.5
"""Between these stars a customer saw good and bad alike: where the words name both, so much more is taken away."""
LEFT_OF_DOUBTED = 0.1
"""What is left where doubt would take everything: the side they lean to still shows, within the neutral band."""
GRADE = 0.9
"""A grade written into the text ("10/10") against the same one given as stars."""
TITLE = 0.5
"""The headline's words against the text's."""

# --- fields ----------------------------------------------------------------------------------------------------------
STARS = {1.0: -5.0, 2.0: -3.5, 3.0: 0.0, 4.0: 2.5, 5.0: 4.0}
"""Stars; half steps lie in the middle."""
RECOMMENDS = {True: 1.5, False: -3.0}
"""The answer to "would you recommend it?"."""
SUB_RATING = 0.4
"""For each star above or below three, on the average of the sub-ratings."""
PROS_FILLED, CONS_FILLED = 0.6, -0.6
"""A real answer in the field, whatever it says."""
FIELD_WORDS = 0.4
"""The words within pros and cons against the text's."""
PROS_MOST, CONS_MOST = 2.0, -1.8
"""What a field can weigh in all: full cons never outweigh four stars."""

# --- disagreement ----------------------------------------------------------------------------------------------------
FRIENDLIER_SIDE = 0.5
"""Where stars and words disagree, the friendlier of the two counts half, and never more than the other."""
GOOD_STARS = 4.0
"""Stars from which a serious or critical complaint phrase disagrees with them, whatever praise stands beside it."""
DISAGREEMENT = 2.0
"""How far both must be from zero to be called a disagreement."""
DISAGREEMENT_NOTE = "stars and words disagree: the friendlier side counts half at most"
DISAGREEMENT_IN_CONS_NOTE = "stars and cons disagree"
DISAGREEMENT_NOTES = (DISAGREEMENT_NOTE, DISAGREEMENT_IN_CONS_NOTE)

# --- complaint -------------------------------------------------------------------------------------------------------
COMPLAINT_BIAS, COMPLAINT_SLOPE = -1.0, 0.7
"""The probability without a rule is 1 / (1 + exp(-(BIAS - SLOPE · sum)))."""
CONS_IN_COMPLAINT = 0.5
"""What a full cons field weighs in that sum, against its weight in the compound: it is no alarm by itself."""
GRAVE = (Severity.SERIOUS, Severity.CRITICAL)
"""The severities of complaint phrases that outrank other phrases, and that good stars do not silence."""
LEAST_WITH_PHRASE = {Severity.MILD: 0.55, Severity.SERIOUS: 0.75, Severity.CRITICAL: 0.95}
"""A complaint phrase makes it at least so probable; a mild one does not beside words that praise."""
LEAST_WITH_STARS = {1.0: 0.9, 2.0: 0.8}
"""So do one and two stars, and the halves up to two."""
MOST_WITH_GOOD_STARS = 0.45
"""Four and five stars keep it under a half, unless a serious phrase stands in the text or the text is furious."""
FURIOUS = -5.0
"""The sum of a text's words from which it counts as furious."""
MOST_FOR_QUESTION = 0.2
"""A question without a complaint phrase or strong blame is no complaint."""

PRAISED = 1.0
"""The sum from which a text is praise."""
UNSURE = (0.4, 0.6)
"""A probability between these is a guess."""
MIXED_NOTE, WEAK_NOTE = "good and bad words together", "few or weak words"
"""Why doubt takes something away."""

MENTIONED = 0.3
"""What a word weighs for its topic that says nothing good or bad ("parcel")."""

# --- bounds ----------------------------------------------------------------------------------------------------------
TEXT_MOST = 5_000
"""Characters of a text that are read; the rest of a longer one is left unread."""
ENGLISH_EMOJI_MOST = 60
"""Emoji that are read of an English text; in other languages each counts three times at most."""
ITEMS_MOST, ITEM_CHARACTERS_MOST = 20, 300
"""Items of pros or cons that are read, and characters of each and of a title."""
REASONS_MOST = 12
"""Reasons kept; when there are more, the last one holds the sum of the rest."""
