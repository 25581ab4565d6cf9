"""The scripts of spec scenarios that one chain and the chain list can play, and what they tell.

Played by test_scenarios.py, and with kills by test_kills.py.
"""

from __future__ import annotations

import pytest

STATUS = "getChainList status"
LIST = "getChainList list"
API = "CCPayment API"

SCRIPTS = [
    pytest.param("nn m nn", [], id="1: one bad poll is nothing"),
    pytest.param("nn mm", ["4 opened TRX"], id="2: two bad polls open"),
    pytest.param("nn m n m n m", [], id="single bad polls do not add up"),
    pytest.param("nn mm nn m nn", ["4 opened TRX"], id="3: almost resolved is not resolved"),
    pytest.param("nn mm nnn", ["4 opened TRX", "7 resolved TRX"], id="4: three good resolve"),
    pytest.param("nn mm nn m nnn", ["4 opened TRX", "10 resolved TRX"], id="one episode"),
    pytest.param("mm nnn", ["2 opened TRX", "5 resolved TRX"], id="bad from the first poll"),
    pytest.param(
        "nn xxxxxxxxxx nnn",
        [f"4 opened {API}", f"15 resolved {API}"],
        id="8: an API outage is one source alert and no chain alert",
    ),
    pytest.param(
        "nn mm xxx mm",
        ["4 opened TRX", f"6 opened {API}"],
        id="9: an outage neither resolves nor reopens a chain",
    ),
    pytest.param(
        "nn mm xx nnn",
        ["4 opened TRX", f"6 opened {API}", f"9 resolved {API}, TRX"],
        id="10: recovered during the outage",
    ),
    pytest.param("nn m x m", ["5 opened TRX"], id="an unknown poll keeps the count of bad"),
    pytest.param("nn mm n x n x n", ["4 opened TRX", "9 resolved TRX"], id="and of good"),
    pytest.param(
        "nn mtmt nnn", ["4 opened TRX", "9 resolved TRX"], id="14: two spellings, one episode"
    ),
    pytest.param("nn ee nnn", [f"4 opened {LIST}", f"7 resolved {LIST}"], id="15: empty list"),
    pytest.param("nn hh nnn", [f"4 opened {LIST}", f"7 resolved {LIST}"], id="15: half list"),
    pytest.param("nn mm eeee m", ["4 opened TRX", f"6 opened {LIST}"], id="15: resolves none"),
    pytest.param("nn mm ..", ["4 opened TRX"], id="16: vanishing is no verdict"),
    pytest.param(
        "nn mm ....", ["4 opened TRX", "7 closed TRX"], id="16: after three it is removed"
    ),
    pytest.param("nn ....", ["5 delisted TRX"], id="16: a quiet chain too, once"),
    pytest.param("nn .. n ..", [], id="16: back before that is nothing"),
    pytest.param(
        "nn mm ... nn mm",
        ["4 opened TRX", "7 closed TRX", "11 opened TRX"],
        id="16: listed again it is a new story",
    ),
    pytest.param(
        "nn xx eee n",
        [f"4 opened {API}", f"6 opened {LIST}"],
        id="15: nor does it prove the source well",
    ),
    pytest.param("nn uu", [f"4 opened {STATUS}"], id="an unseen word is a contract alert"),
    pytest.param(
        "nn mm uu nnn",
        ["4 opened TRX", f"6 opened {STATUS}", f"9 resolved TRX, {STATUS}"],
        id="an unseen word neither resolves nor opens",
    ),
    pytest.param("nn a", [f"3 opened {API}"], id="a bad signature is reported at once"),
    pytest.param("nn q ssss", [f"3 opened {API}"], id="27: a used-up quota too"),
    pytest.param("nn b kkkk", [f"3 opened {API}"], id="28: a ban, once"),
    pytest.param("nn k", [f"3 opened {API}"], id="28: also when another feed was banned"),
    pytest.param("nn x nn x nn", [], id="single failures are nothing"),
    pytest.param(
        "nn xxx mmmm",
        [f"4 opened {API}", f"8 digest {API}, TRX"],
        id="11: broke during the outage, told in the digest",
    ),
    pytest.param("nn mm ssss nnn", ["4 opened TRX", "11 resolved TRX"], id="not polled"),
    pytest.param("nn oooo nn", [], id="it is us: the API is not blamed"),
    pytest.param("nn xx ooo x nnn", [f"4 opened {API}", f"11 resolved {API}"], id="us meanwhile"),
]
