"""Heureka.cz and Heureka.sk: reviews of the shop and of its products, read from the exports of "Ověřeno zákazníky".

The shop's whole life comes in one XML file, rebuilt every few hours. Replies are written in Heureka's administration
only; the next export shows them and so confirms a hand-off.
"""
