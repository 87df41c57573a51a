"""One secret of every kind, put together here so that no scanner of repositories takes them for real."""

from typing import NamedTuple

from hypothesis import strategies as st

ENVIRONMENT = {"MY_TOKEN": "hunter2hunter2", "DB_PASSWORD": 'a "quoted" \\ pässword', "HOME": "/home/somebody"}


class Seed(NamedTuple):
    """`lead` is shown, `body` is not."""

    kind: str
    lead: str
    body: str
    tail: str = ""

    @property
    def text(self):
        return f"{self.lead}{self.body}{self.tail}"

    @property
    def shown(self):
        return f"{self.lead}[redacted: {self.kind}]{self.tail}"


_MIXED = "Zx8cV5bN2mQ7wE4rT1yU6iO9pA3sD0fG"
_PEM = "\n".join([*("MIIEpAIBAAKCAQEA7bq" + _MIXED[n:] + _MIXED for n in range(12)), "q9Zw=="])

SEEDS = [
    Seed("aws key", "AKIA", "IOSFODNN7EXAMPLE".replace("1", "7")),
    Seed("github token", "ghp_", _MIXED + "h4J8"),
    Seed("github token", "github_pat_", "11ABCDEFG0" + _MIXED + "_" + _MIXED),
    Seed("gitlab token", "glpat-", "x9_Kq-7Lm2Np4Rs6Tv8W"),
    Seed("slack token", "xoxb-", "2847561930-7736452819-" + _MIXED[:24]),
    Seed("slack token", "xapp-", "1-A02-7736452819-" + _MIXED),
    Seed("slack webhook", "https://hooks.slack.com/services/", "T02ABCDEF/B03GHIJKL/" + _MIXED[:24]),
    Seed("api key", "sk-", "proj-" + _MIXED + "_" + _MIXED),
    Seed("api key", "sk-", "ant-api03-" + _MIXED + "-" + _MIXED + "-AA"),
    Seed("google key", "AIza", "Sy" + _MIXED + "_"),
    Seed("google token", "ya29.", "a0Af" + _MIXED + "-" + _MIXED),
    Seed("google secret", "GOCSPX-", _MIXED[:28]),
    Seed("stripe key", "sk_live_", _MIXED[:24]),
    Seed("npm token", "npm_", _MIXED + "h4J8"),
    Seed("pypi token", "pypi-AgE", "IcHlwaS5vcmcC" + _MIXED + _MIXED),
    Seed("hugging face token", "hf_", _MIXED + "kL"),
    Seed("jwt", "eyJ", "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0." + _MIXED),
    Seed("private key", "-----BEGIN RSA PRIVATE KEY-----\n", _PEM, "\n-----END RSA PRIVATE KEY-----"),
    Seed("password", "postgresql://app:", "n0t-My.pa55", "@db.example/app"),
    Seed("bearer token", "Authorization: Bearer ", _MIXED),
    Seed("credentials", "Authorization: Basic ", "YWRtaW46bjB0LW15LXBhc3M="),
    Seed("secret", "AWS_SECRET_ACCESS_KEY=", _MIXED + "/+z9Y8x7"),
    Seed("secret", "AWS_SECRET_ACCESS_KEY=", "/" + _MIXED + "+9Y8x7Q"),
    Seed("secret", "DB_PASSWD='", "correct-horse-battery", "'"),
    Seed("secret", 'api_key = "', "9f8e7d6c5b4a", '"'),
    Seed("environment", "", ENVIRONMENT["MY_TOKEN"]),
    Seed("environment", "", ENVIRONMENT["DB_PASSWORD"]),
]
IDS = [f"{seed.kind} {seed.lead.strip()}" for seed in SEEDS]

_SPACES = ("", " ", "\n", "\t", " (", "'", "\x1b[32m", "\\n", "> ", "é ")
_PROSE = ("The answer is", "It says", "x", "Größe 😀", "def f(a, b):", "", "a-b", "see /usr/share/doc")


@st.composite
def texts(draw):
    """A text with some seeds in it, and those seeds."""
    parts, seeds = [draw(st.sampled_from(_PROSE))], draw(st.lists(st.sampled_from(SEEDS), min_size=1, max_size=3))
    for seed in seeds:
        # Behind a break, so that the kind is the seed's own and not that of whatever stands in front.
        parts += [draw(st.sampled_from(_SPACES)) or " ", seed.text, " ", draw(st.sampled_from(_PROSE))]
    return "".join(parts), seeds


@st.composite
def pieces(draw, of):
    """A text cut into pieces anywhere."""
    text = draw(of)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    return [text[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


FRAGMENTS = [
    *(
        "ghp_",
        "gh",
        "AKIA",
        "AK",
        "sk-",
        "eyJ",
        "eyJhbGci.eyJz",
        "xoxb-",
        "glpat-",
        "AIza",
        "hunter2",
        "hunter2hunter2",
    ),
    *(
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "-----BEGIN ",
        "PRIVATE KEY-----",
        "MIIE" * 11,
        "-",
        "\n",
    ),
    *(
        "://",
        "http://u:",
        "@h",
        "TOKEN",
        "password",
        "Authorization",
        ": Basic ",
        "Bearer ",
        ":",
        "=",
        "'",
        '"',
        "\\n",
        "\\",
    ),
    *("a1B2c3D4", "abcdefgh", "0123456789", "a1B2" * 9, "A" * 16, "7777", "q" * 70, "x1" * 150, "Zx8cV5bN2mQ7" * 400),
    *(" ", ".", ",", "/", "(", "$", "é", "\x1b[32m"),
]
"""What secrets are made of, and what ends them."""

HARMLESS = [
    "123e4567-e89b-12d3-a456-426614174000 and 01920f6e-3c1a-7b2d-9e4f-5a6b7c8d9e0f",
    "commit a79f36047b1e2c3d4e5f60718293a4b5c6d7e8f9, tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "integrity sha512-Ld3aYb7Kq9Zx8cV5bN2mQ7wE4rT1yU6iO9pA3sD0fGhJkLzXcVbNmQwErTyUiOp12==",
    "/usr/lib/python3.11/site-packages/some_package/sub_module_2/__init__.py",
    "/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T/pytest-of-me/test_Long0",
    "docker pull docker://nginx:1.25.3-alpine",
    "skopeo inspect docker://sha256:" + "ab12" * 16,
    "postgres://db:5432 redis://cache:6379,other:6380",
    "https://example.com/a/b?page=2&sort=Asc#Top and http://localhost:8080/x file:///home/me/a.py",
    "if password == other.password: token = next_token(); secret = secrets.token_hex(16)",
    'api_key = os.environ["API_KEY"]; password: str; tokens = 123456789012; max_tokens=200000000000',
    "token = self.client2.get_token(); PASSWORD=$(cat /run/secret) TOKEN=${TOKEN} SECRET_KEY=/run/secrets/key",
    "The bearer of the token is a secret. A password: never write it down. Authorization: required",
    "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaft",
    "task-20240101-migrate-database sk-folding-cube-animation risk-2024-11-21 disk-0123456789-abc",
    "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA\n-----END PUBLIC KEY-----",
    "-----BEGIN PRIVATE KEY----- is how it begins, and then comes base64.",
    "getUserByIdAndNameOrDefaultValue, HTTPConnectionPoolManagerFactory2, test_a_long_name_of_a_test_that_is_one",
    "eyJ is how JSON begins; eyJhIjoxfQ== is a whole object",
    "task-" + "c1-d" * 100,
    "a1B2c3D4e5F6Zx8cV5bN2mQ7" * 40,
    "toolu-like ids: call_abcdef, msg_01, session 7f3a",
]
