"""Settings: what is read from where, which warehouse is meant, and errors that say what to do."""

import os
import pickle
import traceback
from pathlib import Path

import pytest

from ccpay_io.alerts.channels import channels_of
from ccpay_io.config import AlertSettings, FeedSettings, WatchedAddress
from ccpay_io.errors import ConfigError
from ccpay_io.sandbox import SANDBOX_APP_ID, SANDBOX_APP_SECRET
from ccpay_io.settings import LIVE_URL, Secret, Settings, load_settings

CANARY = "cAnArY-5f1e8d"
ACCOUNT = {"CCPAY_APP_ID": "id-1", "CCPAY_APP_SECRET": "secret-1"}


def refusal(folder: Path, **environ: str) -> ConfigError:
    """The error that these variables end in."""
    with pytest.raises(ConfigError) as caught:
        load_settings(environ, cwd=folder)
    return caught.value


def with_toml(folder: Path, text: str) -> Settings:
    """The settings with this ccpay.toml."""
    (folder / "ccpay.toml").write_text(text, "utf-8")
    return load_settings({}, cwd=folder)


def test_nothing_set_is_the_sandbox(tmp_path: Path) -> None:
    """Without any setting the sandbox is used, in its own folder and with its own credentials."""
    settings = load_settings({}, cwd=tmp_path)
    assert settings.environment == "sandbox"
    assert settings.stamp == "sandbox"
    assert settings.base_url == ""
    assert settings.credentials.app_id.reveal() == SANDBOX_APP_ID
    assert settings.credentials.app_secret.reveal() == SANDBOX_APP_SECRET
    assert settings.warehouse == tmp_path / "warehouse/data/sandbox"
    assert settings.dagster_home == tmp_path / "warehouse/data/sandbox/dagster"


def test_defaults(tmp_path: Path) -> None:
    """Every default is what the documentation promises."""
    settings = load_settings({}, cwd=tmp_path)
    assert (settings.max_rps, settings.max_connections, settings.daily_budget) == (None, 8, 700_000)
    assert settings.feeds == FeedSettings(
        chains=300, fiats=900, coins=3600, networks=3600, prices=300, fees=300, watchlist=21600
    )
    assert settings.feeds.watch_s == 30
    assert settings.alerts == AlertSettings(raise_after=2, clear_after=3, confirm_after_s=5)
    assert (settings.retention.raw_days, settings.retention.dagster_run_days) == (14, 7)
    assert (settings.board.fiat, settings.board.timezone) == ("USD", "UTC")


def test_credentials_mean_the_live_api(tmp_path: Path) -> None:
    """With both credentials the live API is meant, and its warehouse is the folder itself."""
    settings = load_settings(ACCOUNT, cwd=tmp_path)
    assert settings.environment == "live"
    assert settings.base_url == LIVE_URL
    assert settings.stamp == "live ccpayment.com"
    assert settings.warehouse == tmp_path / "warehouse/data"


@pytest.mark.parametrize(
    ("environ", "missing", "because"),
    [
        ({"CCPAY_APP_ID": "a"}, "CCPAY_APP_SECRET is not set", "CCPAY_APP_ID is"),
        ({"CCPAY_APP_SECRET": "b"}, "CCPAY_APP_ID is not set", "CCPAY_APP_SECRET is"),
        (
            {"CCPAY_BASE_URL": "http://127.0.0.1:9/v2"},
            "CCPAY_APP_ID and CCPAY_APP_SECRET are not set",
            "CCPAY_BASE_URL is",
        ),
        (
            {"CCPAY_ALERT_URLS": "json://host"},
            "CCPAY_APP_ID and CCPAY_APP_SECRET are not set",
            "CCPAY_ALERT_URLS is",
        ),
    ],
)
def test_half_an_account_is_refused(
    tmp_path: Path, environ: dict[str, str], missing: str, because: str
) -> None:
    """Any sign of a real account without all of it is an error that names what is missing."""
    text = str(refusal(tmp_path, **environ))
    assert text.startswith(missing)
    assert text.endswith(because)


@pytest.mark.parametrize("file", ["private/warehouse.duckdb", "ccpay.duckdb"])
def test_live_data_is_never_shadowed_by_the_sandbox(tmp_path: Path, file: str) -> None:
    """Where live data lies, missing credentials are an error and not a reason for the sandbox."""
    live = tmp_path / "warehouse/data" / file
    live.parent.mkdir(parents=True)
    live.touch()
    assert "there is live data in" in str(refusal(tmp_path))


def test_told_of_the_sandbox_by_wish(tmp_path: Path) -> None:
    """With the flag, addresses of channels do not mean a real account; anything else still does."""
    (tmp_path / "ccpay.toml").write_text("[alerts]\nsandbox = true\n", "utf-8")
    urls = {"CCPAY_ALERT_URLS": "json://host"}
    settings = load_settings(urls, cwd=tmp_path)
    assert settings.environment == "sandbox"
    assert [channel.key.partition("-")[0] for channel in channels_of(settings)] == [
        "log",
        "apprise",
    ]
    assert "CCPAY_BASE_URL is" in str(refusal(tmp_path, **urls, CCPAY_BASE_URL="https://a.example"))
    live = tmp_path / "warehouse/data/ccpay.duckdb"
    live.parent.mkdir(parents=True)
    live.touch()
    assert "there is live data" in str(refusal(tmp_path, **urls))


def test_sandbox_data_does_not_count_as_live(tmp_path: Path) -> None:
    """The sandbox's own warehouse, one folder below, keeps nobody in or out."""
    file = tmp_path / "warehouse/data/sandbox/ccpay.duckdb"
    file.parent.mkdir(parents=True)
    file.touch()
    assert load_settings({}, cwd=tmp_path).environment == "sandbox"


def test_empty_is_not_set(tmp_path: Path) -> None:
    """Empty variables are as if they were not there: an unfilled .env.example is the sandbox."""
    blank = dict.fromkeys([*ACCOUNT, "CCPAY_BASE_URL", "CCPAY_ALERT_URLS", "CCPAY_MAX_RPS"], " ")
    assert load_settings(blank, cwd=tmp_path).environment == "sandbox"


def test_environment_wins_over_dotenv(tmp_path: Path) -> None:
    """A variable of the process wins over .env, an empty one does not, and none is changed."""
    (tmp_path / ".env").write_text(
        'CCPAY_APP_ID=from-file\nCCPAY_APP_SECRET="s-${HOME}"\nCCPAY_MAX_RPS=5\n'
    )
    before = dict(os.environ)
    settings = load_settings({"CCPAY_APP_ID": "from-process", "CCPAY_MAX_RPS": ""}, cwd=tmp_path)
    assert settings.credentials.app_id.reveal() == "from-process"
    assert settings.credentials.app_secret.reveal() == "s-${HOME}"
    assert settings.max_rps == 5
    assert dict(os.environ) == before


def test_dotenv_line_without_value_is_refused(tmp_path: Path) -> None:
    """A line of .env that sets nothing would silently mean the sandbox."""
    (tmp_path / ".env").write_text("CCPAY_APP_ID\n")
    assert "CCPAY_APP_ID has no '='" in str(refusal(tmp_path))


def test_dotenv_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """A .env in another encoding is named as the reason."""
    (tmp_path / ".env").write_bytes("CCPAY_APP_ID=x".encode("utf-16"))
    assert "not UTF-8" in str(refusal(tmp_path))


@pytest.mark.parametrize(
    ("typo", "meant"),
    [("CCPAY_APPID", "CCPAY_APP_ID"), ("CCPAY_APP_SECRT", "CCPAY_APP_SECRET")],
)
def test_misspelt_variable_is_refused(tmp_path: Path, typo: str, meant: str) -> None:
    """A variable that is almost a known one is refused instead of ignored."""
    error = refusal(tmp_path, **{typo: CANARY})
    assert error.hint == f"did you mean {meant}?"


def test_unrelated_variables_are_left_alone(tmp_path: Path) -> None:
    """Variables of other programs, and those of other releases, are none of our business."""
    environ = {"CCPAY_DATA_PATH": "/x", "CCPAY_OTHER_TOOL": "/y", "APP_ID": "z", "HOME": "/h"}
    assert load_settings(environ, cwd=tmp_path).environment == "sandbox"


@pytest.mark.parametrize(
    ("url", "stamp"),
    [
        ("https://api.example.com/v2/", "live api.example.com"),
        ("https://API.example.com:8443/v2", "live api.example.com:8443"),
        ("http://127.0.0.1:8000/ccpayment/v2", "live 127.0.0.1:8000"),
        ("http://127.9.9.9:8000", "live 127.9.9.9:8000"),
        ("http://localhost:8000", "live localhost:8000"),
        ("http://[::1]:8000", "live [::1]:8000"),
    ],
)
def test_base_urls_that_are_allowed(tmp_path: Path, url: str, stamp: str) -> None:
    """Any https address, and http on this machine; the warehouse is stamped with the host."""
    settings = load_settings({**ACCOUNT, "CCPAY_BASE_URL": url}, cwd=tmp_path)
    assert settings.base_url == url.rstrip("/")
    assert settings.stamp == stamp


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://api.example.com/v2", "clear text"),
        ("http://192.168.1.2/v2", "clear text"),
        ("http://localhost.example.com", "clear text"),
        ("ftp://127.0.0.1", "not an http"),
        ("ccpayment.com/ccpayment/v2", "not an http"),
        ("https://", "not an http"),
        ("https://[::1", "not an http"),
        ("https://host:port", "not an http"),
        (f"https://me:{CANARY}@host/v2", "a host, a port and a path only"),
        (f"https://host/v2?key={CANARY}", "a host, a port and a path only"),
    ],
)
def test_base_urls_that_are_refused(tmp_path: Path, url: str, why: str) -> None:
    """No address that sends signed requests in clear text, and none that cannot be the API's."""
    error = refusal(tmp_path, **ACCOUNT, CCPAY_BASE_URL=url)
    assert "CCPAY_BASE_URL" in str(error)
    assert why in str(error)
    assert CANARY not in str(error) + error.hint


@pytest.mark.parametrize("separator", [",", " ", ", ", "\n"])
def test_alert_urls_are_a_list(tmp_path: Path, separator: str) -> None:
    """Alert addresses are separated by commas or white space."""
    urls = separator.join(["https://a.example/x", "slack://T/B/c"])
    settings = load_settings({**ACCOUNT, "CCPAY_ALERT_URLS": urls}, cwd=tmp_path)
    assert [url.reveal() for url in settings.alert_urls] == ["https://a.example/x", "slack://T/B/c"]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("CCPAY_MAX_RPS", "fast", "a number from 0.2 to 1000"),
        ("CCPAY_MAX_RPS", "nan", "a number from 0.2 to 1000"),
        ("CCPAY_MAX_RPS", "0", "a number from 0.2 to 1000"),
        ("CCPAY_MAX_CONNECTIONS", "2.5", "a whole number from 1 to 128"),
        ("CCPAY_MAX_CONNECTIONS", "0", "a whole number from 1 to 128"),
        ("CCPAY_DAILY_BUDGET", "-1", "a whole number from 1 to"),
        ("CCPAY_WAREHOUSE", "ducklake:sqlite:x.db", "without a database of PostgreSQL"),
        ("CCPAY_WAREHOUSE", "ducklake:postgres:host=x", "without a database of PostgreSQL"),
        ("CCPAY_WAREHOUSE", "s3://bucket/x", "s3:..., not a folder"),
        ("CCPAY_CONFIG", "missing.toml", "missing.toml, which is not a file"),
        ("CCPAY_BASE_URL", "api.example", "not an http"),
        ("CCPAY_HEARTBEAT_URL", "life.example/token", "not an http"),
        ("CCPAY_HEARTBEAT_URL", "http://life.example/token", "travel in clear text"),
        ("CCPAY_ALERT_URLS", "slack://T/B/c, oops", "number 2 of 2 is not an address"),
    ],
)
def test_values_that_are_refused(tmp_path: Path, name: str, value: str, why: str) -> None:
    """A value that cannot be used is one line that names the variable and what is allowed."""
    text = str(refusal(tmp_path, **ACCOUNT, **{name: value}))
    assert name in text
    assert why in text
    assert "\n" not in text


def test_warehouse_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """The warehouse is a folder; naming the file in it is a likely mistake."""
    (tmp_path / "ccpay.duckdb").touch()
    assert "a file and not a folder" in str(refusal(tmp_path, CCPAY_WAREHOUSE="ccpay.duckdb"))


def test_paths_are_absolute(tmp_path: Path) -> None:
    """Relative folders are meant from the working directory."""
    environ = {**ACCOUNT, "CCPAY_WAREHOUSE": "w", "DAGSTER_HOME": "d"}
    settings = load_settings(environ, cwd=tmp_path)
    assert settings.warehouse == tmp_path / "w"
    assert settings.dagster_home == tmp_path / "d"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CCPAY_APP_ID", f"{CANARY} x"),
        ("CCPAY_APP_SECRET", f'"{CANARY}"'),
        ("CCPAY_APP_SECRET", f"{CANARY}é"),
        ("CCPAY_APP_SECRET", f"{CANARY}\nnext"),
        ("CCPAY_ALERT_URLS", CANARY),
        ("CCPAY_BASE_URL", CANARY),
        ("CCPAY_BASE_URL", f"https://[{CANARY}"),
        ("CCPAY_BASE_URL", f"https://{CANARY}@host"),
        ("CCPAY_HEARTBEAT_URL", CANARY),
        ("CCPAY_HEARTBEAT_URL", f"http://life.example/{CANARY}"),
        ("CCPAY_HEARTBEAT_URL", f"https://[{CANARY}"),
    ],
)
def test_no_error_shows_a_secret(tmp_path: Path, name: str, value: str) -> None:
    """A secret that cannot be used is named, never shown, not even in a full traceback."""
    error = refusal(tmp_path, **{**ACCOUNT, name: value})
    shown = "".join(traceback.format_exception(error)) + error.hint
    assert name in shown
    assert CANARY.lower() not in shown.lower()


def test_settings_never_show_secrets(tmp_path: Path) -> None:
    """Printing or formatting the settings gives asterisks for every secret."""
    environ = {
        "CCPAY_APP_ID": f"1{CANARY}",
        "CCPAY_APP_SECRET": f"2{CANARY}",
        "CCPAY_ALERT_URLS": f"slack://{CANARY}",
        "CCPAY_WEBHOOK_SECRET": CANARY,
        "CCPAY_HEARTBEAT_URL": f"http://localhost/{CANARY}",
    }
    settings = load_settings(environ, cwd=tmp_path)
    assert CANARY not in f"{settings} {settings!r} {settings.credentials} {settings.alert_urls}"
    assert CANARY not in f"{settings.heartbeat_url}"
    assert settings.webhook_secret == Secret(CANARY)


def test_secrets_compare_and_travel_by_value() -> None:
    """Secrets are equal by value, false when empty, and survive going to another process."""
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret("")
    assert pickle.loads(pickle.dumps(Secret("a"))).reveal() == "a"  # noqa: S301


def test_every_section_of_the_file(tmp_path: Path) -> None:
    """Every section is read, and what it leaves out keeps its default."""
    settings = with_toml(
        tmp_path,
        """
        [feeds]
        fees = 600
        watch_s = 60
        [watch]
        chains = ["TRX", "ETH"]
        coins = ["USDT"]
        default_routes = { USDT = "TRX" }
        [[watch.addresses]]
        label = "cold wallet"
        chain = "TRX"
        address = "T1"
        [[watch.cwallet_ids]]
        label = "partner"
        cwallet_user_id = "35255142"
        [alerts]
        raise_after = 3
        [retention]
        raw_days = 30
        [board]
        fiat = "EUR"
        timezone = "Europe/Berlin"
        """,
    )
    assert (settings.feeds.fees, settings.feeds.watch_s, settings.feeds.fiats) == (600, 60, 900)
    assert settings.watch.chains == ("TRX", "ETH")
    assert settings.watch.default_routes == {"USDT": "TRX"}
    assert settings.watch.addresses == (
        WatchedAddress(label="cold wallet", chain="TRX", address="T1"),
    )
    assert settings.watch.cwallet_ids[0].cwallet_user_id == "35255142"
    assert (settings.alerts.raise_after, settings.alerts.clear_after) == (3, 3)
    assert (settings.board.fiat, settings.board.timezone) == ("EUR", "Europe/Berlin")


def test_config_can_lie_elsewhere(tmp_path: Path) -> None:
    """CCPAY_CONFIG names the file, relative to the working directory."""
    (tmp_path / "other.toml").write_text('[board]\nfiat = "EUR"\n')
    settings = load_settings({"CCPAY_CONFIG": "other.toml"}, cwd=tmp_path)
    assert settings.board.fiat == "EUR"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("feeds", "ccpay.toml is not TOML", "docs/configuration.md"),
        ("[feed]", "there is no section feed", "did you mean feeds?"),
        ("[colours]", "there is no section colours", "known: feeds, watch"),
        ("feeds = 3", "feeds is '3'; allowed: a table", ""),
        ("[feeds]\nfee = 300", "there is no key feeds.fee", "did you mean feeds.fees?"),
        ("[feeds]\nfees = 301", "feeds.fees is '301'; allowed: seconds, one of 60, 120", ""),
        ("[feeds]\nfees = '5 min'", "feeds.fees is '5 min'; allowed: a whole number", ""),
        ("[feeds]\nfees = true", "feeds.fees is 'True'; allowed: a whole number", ""),
        ("[feeds]\nwatch_s = 7", "feeds.watch_s is '7'; allowed: seconds, a multiple of 5", ""),
        ("[watch]\nchains = 'TRX'", "watch.chains is 'TRX'; allowed: a list in brackets", ""),
        ("[watch]\nchains = ['']", "watch.chains.0 is ''; allowed: text that is not empty", ""),
        (
            "[alerts]\nraise_after = 0",
            "alerts.raise_after is '0'; allowed: a whole number from",
            "",
        ),
        ("[retention]\nversions = 1", "retention.versions is '1'; allowed: a whole number", ""),
        ("[board]\nfiat = 'eur'", "board.fiat is 'eur'; allowed: a currency code", ""),
        ("[board]\ntimezone = 'CET+1'", "board.timezone is 'CET+1'; allowed: a time zone", ""),
        ("[board]\ntimezone = 'localtime'", "board.timezone is 'localtime'; allowed: a time", ""),
        (
            f"[[watch.addresses]]\nlabel='a'\nchain='TRX'\nadress='{CANARY}'",
            "there is no key watch.addresses.0.adress",
            "did you mean watch.addresses.0.address?",
        ),
        (
            f"[[watch.addresses]]\nchain='TRX'\naddress='{CANARY}'",
            "watch.addresses.0.label is missing",
            "",
        ),
        (
            f"[[watch.cwallet_ids]]\nlabel='a'\ncwallet_user_id=['{CANARY}']",
            "watch.cwallet_ids.0.cwallet_user_id; allowed: text in quotes",
            "",
        ),
        (
            f"[[watch.addresses]]\nlabel='a'\nchain='TRX'\naddress=' {CANARY}'",
            "watch.addresses.0.address; allowed: text without spaces",
            "",
        ),
        (
            f'[[watch.cwallet_ids]]\nlabel="a"\ncwallet_user_id="{CANARY}\\n"',
            "watch.cwallet_ids.0.cwallet_user_id; allowed: text without spaces",
            "",
        ),
        (
            f"[[watch.addresses]]\nlabel='a'\nchain='TRX'\naddress='{CANARY}'\n" * 2,
            "watch.addresses; allowed: each entry once",
            "",
        ),
        (
            f"[[watch.cwallet_ids]]\nlabel='a'\ncwallet_user_id='{CANARY}'\n" * 2,
            "watch.cwallet_ids; allowed: each entry once",
            "",
        ),
    ],
)
def test_errors_of_the_file(tmp_path: Path, text: str, message: str, hint: str) -> None:
    """An error names file, key, value and what is allowed, and shows no payee."""
    with pytest.raises(ConfigError) as caught:
        with_toml(tmp_path, text)
    error = caught.value
    assert str(error).startswith("ccpay.toml")
    assert message in str(error)
    assert hint in error.hint
    assert CANARY not in "".join(traceback.format_exception(error)) + error.hint


def key_file(
    folder: Path, text: str = "-----BEGIN PRIVATE KEY-----\nx\n", mode: int = 0o600
) -> str:
    """A file as CCPAY_RSA_KEY_FILE names one."""
    path = folder / "key.pem"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_an_rsa_key_takes_the_place_of_the_secret(tmp_path: Path) -> None:
    """With a key file no secret is needed, and the key is kept as one."""
    env = {"CCPAY_APP_ID": "id", "CCPAY_RSA_KEY_FILE": key_file(tmp_path)}
    settings = load_settings(env, cwd=tmp_path)
    assert settings.environment == "live"
    assert settings.credentials.rsa_key
    assert "BEGIN" not in repr(settings)


@pytest.mark.parametrize(
    ("also", "text", "mode", "says"),
    [
        ({"CCPAY_APP_SECRET": "s"}, None, 0o600, "are both set"),
        ({}, "no key", 0o600, "has no private key"),
        ({}, "schlüssel", 0o600, "cannot be read"),
        ({}, None, 0o644, "can be read by others"),
        ({"CCPAY_RSA_KEY_FILE": "/nowhere/key.pem"}, None, 0o600, "No such file"),
        ({"CCPAY_APP_ID": ""}, None, 0o600, "CCPAY_APP_ID is not set"),
    ],
)
def test_a_key_file_that_cannot_be_used_says_why(
    tmp_path: Path, also: dict[str, str], text: str | None, mode: int, says: str
) -> None:
    """Missing, readable by others, no key, or beside a secret: one line each."""
    file = key_file(tmp_path, **({} if text is None else {"text": text}), mode=mode)
    with pytest.raises(ConfigError, match=says):
        load_settings({"CCPAY_APP_ID": "id", "CCPAY_RSA_KEY_FILE": file, **also}, cwd=tmp_path)


@pytest.mark.parametrize(
    "named",
    [
        "dbname=ccpay host=db user=ccpay password='a b\\'c'",
        "postgresql://ccpay:a%20b%27c@db/ccpay",
    ],
)
def test_a_lake_is_named_by_words_or_by_a_uri(tmp_path: Path, named: str) -> None:
    """Its password goes apart, and is shown nowhere; its files are in a folder."""
    environ = {"CCPAY_WAREHOUSE": f"ducklake:postgres:{named}", "CCPAY_DATA_PATH": "shared"}
    settings = load_settings(environ, cwd=tmp_path)

    lake = settings.lake
    assert lake
    assert settings.place is lake
    assert settings.warehouse == tmp_path / "warehouse" / "data" / "sandbox"
    assert {*lake.catalog.split(" ")} == {"dbname=ccpay", "host=db", "user=ccpay"}
    assert lake.password == Secret("a b'c")
    assert lake.data_path == str(tmp_path / "shared")
    assert "a b" not in f"{settings!r} {lake}"


def test_a_bucket_needs_what_opens_it(tmp_path: Path) -> None:
    """The names are those that every S3 client knows."""
    named = {"CCPAY_WAREHOUSE": "ducklake:postgres:dbname=x", "CCPAY_DATA_PATH": "s3://b1/x"}
    assert "AWS_ACCESS_KEY_ID" in str(refusal(tmp_path, **named))
