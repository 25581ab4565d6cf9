from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest
from signed_caller import Caller

from ccpay_io.sandbox import SANDBOX_APP_ID, SANDBOX_APP_SECRET

# The algorithm of the reference in the language of the reference: what users will copy from there.
PROGRAM = """
const http = require('http');
const { createHmac } = require('crypto');
const [url, id, secret, body] = process.argv.slice(1);
const stamp = String(Math.floor(Date.now() / 1000));
const hmac = createHmac('sha256', secret);
hmac.update(id + stamp + body);
const headers = {
  'Content-Type': 'application/json', Appid: id, Sign: hmac.digest('hex'), Timestamp: stamp,
};
const request = http.request(url, { method: 'POST', headers }, (answer) => {
  answer.on('data', (part) => process.stdout.write(part));
});
request.write(body);
request.end();
"""


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("getSwapCoinList", ""),
        ("getFiatList", "{}"),
        ("getWithdrawFee", json.dumps({"coinId": 1280, "chain": "POLYGON"})),
        ("getChainList", json.dumps({"chains": ["ETH", "POLYGON"]})),
    ],
)
def test_a_program_in_node_is_understood(caller: Caller, endpoint: str, body: str) -> None:
    """Node's own HTTP and crypto, used as in the reference, get an answer with code 10000."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    ran = subprocess.run(
        [
            node,
            "-e",
            PROGRAM,
            f"{caller.base_url}/{endpoint}",
            SANDBOX_APP_ID,
            SANDBOX_APP_SECRET,
            body,
        ],
        capture_output=True,
        check=True,
        timeout=30,
    )
    envelope: dict[str, Any] = json.loads(ran.stdout)
    assert envelope["code"] == 10000
