"""Larger language models on this machine: the host's list, what one reads, what it writes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from conftest import free_port
from fake_hub import REPOSITORY, Hub, serving
from gen_core.families.text import LONGEST
from gen_core.families.token_sampler import probabilities
from gen_core.hub.allowance import Limits
from gen_core.hub.answers import MOST_TOKENS, WRITING, Asked, Written
from gen_core.hub.language_models import (
    DEFAULTS,
    LISTED,
    LanguageModel,
    faults_of,
    language_models,
)
from gen_core.hub.listed import Machine, obstacles
from gen_core.hub.text_server import TextServer
from gen_core.hub.worker import Cancelled
from gen_core.hub.writer import PART, Pieces, Writer, opened, write
from gen_core.knobs import KnobError
from gen_core.progress import result_of
from language_models import END, SEES, chat_entry, tiny_language_model, tokenizer

QUESTION = "Who sings in the king's garden?"
JAPANESE = "むかしむかし、あるところに"
MARKUP = '<img src=x onerror="alert(1)"><b>&amp;'


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tiny_language_model(tmp_path_factory.mktemp("language"))


@pytest.fixture(scope="module")
def writer(folder) -> Writer:
    return opened(str(folder), local=True)


# --- the list -------------------------------------------------------------------------------------


def test_two_small_ones_run_on_a_laptop_without_a_gpu(monkeypatch):
    monkeypatch.delenv(LISTED, raising=False)
    assert language_models() == DEFAULTS
    assert [model.name for model in DEFAULTS] == ["SmolLM2-135M-Instruct", "Qwen3-0.6B"]
    assert [obstacles(model, Machine("cpu", memory=8)) for model in DEFAULTS] == [[], []]
    # a processor computes with twice the bytes of the files
    (said,) = obstacles(DEFAULTS[1], Machine("cpu", memory=2))
    assert said == "it needs about 3.6 GB of memory, and this machine has 2.0"
    large = LanguageModel(**chat_entry("Large", "some/where", gigabytes=16))
    assert "it needs a GPU, or each token takes seconds" in obstacles(large, Machine("cpu", 64))
    assert obstacles(large, Machine("cuda", memory=64, gpu_memory=24)) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"server": "my server"}, "write the end of GEN_CHAT_SERVER_"),
        ({"server": "https://example.org"}, "write the end of GEN_CHAT_SERVER_"),
        ({"gigabytes": 0}, "has no 'gigabytes', or no 'server'"),
        ({"candidates": 21}, "candidates=21: choose a whole number from 0 to 20"),
        ({"seed": 1}, "seed=1: choose true or false"),
        ({"half": "int8"}, "half='int8'"),
        ({"trust_remote_code": True}, "'trust_remote_code': choose of"),
        ({"key": "sk-123"}, "'key': choose of"),
    ],
)
def test_a_broken_entry_is_told_plainly(tmp_path, monkeypatch, changes, said):
    path = tmp_path / "models.json"
    path.write_text(json.dumps([chat_entry("X", "a/b", **changes)]))
    monkeypatch.setenv(LISTED, str(path))
    with pytest.raises(KnobError, match="GEN_CHAT_MODELS=") as told:
        language_models()
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("address", "key", "said"),
    [
        ("", "", "set no address"),
        ("groq.com/v1", "", "address is none"),
        ("ftp://groq.com", "", "address is none"),
        ("https://me:secret@groq.com/v1", "", "address is none"),
        ("https://groq.com:99999/v1", "", "address is none"),
        ("https://groq.com/v1", "secret\nX-Other: 1", "key is none"),
        ("https://groq.com/v1", "sécret", "key is none"),
        ("https://groq.com/v1/", "secret", ""),
        ("http://127.0.0.1:8080/v1", "", ""),
    ],
)
def test_a_server_that_cannot_be_asked_is_told_without_its_address_or_key(
    monkeypatch, address, key, said
):
    monkeypatch.setenv("GEN_CHAT_SERVER_ONE", address)
    monkeypatch.setenv("GEN_CHAT_KEY_ONE", key)
    told = faults_of("ONE")
    assert len(told) == bool(said) and all(said in reason for reason in told)
    assert not any("groq" in reason or "cret" in reason for reason in told)


# --- what is read ---------------------------------------------------------------------------------


def test_a_question_is_read_in_the_chat_template_and_a_beginning_as_it_stands(writer):
    read = f"<|im_start|>user\n{QUESTION}{END}\n<|im_start|>assistant\n"
    told: list = []
    answer = write(writer, Asked(QUESTION, tokens=4), told.append)
    assert answer.read == read
    prompt, tokens = writer.read(Asked(QUESTION, tokens=4))
    assert prompt == read and writer.tokenizer.decode(tokens[0]) == read
    assert told[0].stage == f"Reading {tokens.shape[1]} tokens"
    assert write(writer, Asked("Once upon", chat=False, tokens=4)).read == "Once upon"


def test_a_model_without_a_template_takes_beginnings_alone(tmp_path):
    writer = opened(str(tiny_language_model(tmp_path, template=None)), local=True)
    with pytest.raises(KnobError, match="no chat template: give it a beginning"):
        write(writer, Asked(QUESTION))
    assert write(writer, Asked(QUESTION, chat=False, tokens=3)).count <= 3


@pytest.mark.parametrize("chat", [True, False])
@pytest.mark.parametrize("text", [MARKUP, JAPANESE, END, "\x00", "a" * 40, "\ud800 half"])
def test_any_text_is_answered(writer, text, chat):
    answer = write(writer, Asked(text, chat=chat, tokens=5))
    assert len(answer.tokens) <= answer.count <= 5 and answer.told


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({"text": ""}, "write a question, or a beginning"),
        ({"text": " \n"}, "write a question, or a beginning"),
        ({"text": None}, "write some text"),
        ({"text": "a" * (LONGEST + 1)}, "at most 20,000"),
        ({"tokens": MOST_TOKENS + 1}, f"from 1 to {MOST_TOKENS}"),
        ({"tokens": 0}, f"from 1 to {MOST_TOKENS}"),
        ({"temperature": 2.1}, "temperature=2.1"),
        ({"top_p": -1}, "top_p=-1"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_what_is_no_question_is_told(knobs, said):
    with pytest.raises(KnobError, match=said):
        Asked(**{"text": QUESTION} | knobs)


def test_a_text_that_is_longer_than_the_model_reads_is_told(writer):
    with pytest.raises(KnobError, match=f"tokens: write from 1 to {SEES - 100} for this model"):
        write(writer, Asked("king " * 4000))


# --- what is written ------------------------------------------------------------------------------


@pytest.mark.parametrize(("temperature", "top_p"), [(0, 1), (0.7, 0.9), (1, 1), (2, 0)])
def test_each_token_has_the_surprise_and_the_candidates_of_the_network(writer, temperature, top_p):
    asked = Asked(QUESTION, tokens=12, temperature=temperature, top_p=top_p, seed=3)
    answer, (_, x) = write(writer, asked), writer.read(asked)
    kinds = [token.kind for token in answer.tokens]
    with torch.inference_mode():
        whole = torch.cat([x, torch.tensor([kinds], dtype=torch.long)], -1)
        logits = writer.network(input_ids=whole).logits[0, x.shape[1] - 1 :].float()
    for place, token in enumerate(answer.tokens):
        said = probabilities(logits[place])
        drawn = probabilities(logits[place], temperature, 0, top_p)
        assert token.bits == pytest.approx(-math.log2(said[token.kind]), abs=1e-3)
        assert drawn[token.kind] > 0
        best = [candidate.kind for candidate in token.candidates[:5]]
        assert best == said.topk(5).indices.tolist()
        for candidate in token.candidates:
            assert candidate.p == pytest.approx(float(said[candidate.kind]), abs=1e-4)
            assert candidate.drawn == pytest.approx(float(drawn[candidate.kind]), abs=1e-4)
        assert token.kind in [candidate.kind for candidate in token.candidates]
    assert answer.text == writer.tokenizer.decode(kinds)


def test_the_same_seed_writes_the_same_and_another_one_does_not(writer):
    texts = [write(writer, Asked(QUESTION, tokens=20, seed=seed)).text for seed in (5, 5, 6)]
    assert texts[0] == texts[1] != texts[2]


def test_tokens_are_told_as_they_come(writer):
    told: list = []
    answer = write(writer, Asked(QUESTION, tokens=8, seed=1), told.append)
    written = [progress for progress in told if isinstance(progress, Written)]
    assert [progress.done for progress in written] == [*range(1, len(answer.tokens) + 1)]
    assert {(progress.stage, progress.total) for progress in written} == {(WRITING, 8)}
    assert [token.kind for progress in written for token in progress.tokens] == [
        t.kind for t in answer.tokens
    ]


def test_the_end_is_told_apart_from_a_cut(writer, monkeypatch):
    answer = write(writer, Asked(QUESTION, tokens=3, temperature=0))
    assert answer.cut and not answer.end and answer.count == 3
    third = answer.tokens[2].kind
    monkeypatch.setattr(writer, "ends", {third})
    ended = write(writer, Asked(QUESTION, tokens=9, temperature=0))
    first = [token.kind for token in answer.tokens].index(third)
    assert len(ended.tokens) == first and ended.count == first + 1
    assert ended.end == writer.tokenizer.decode([third]) and not ended.cut


def test_who_stops_is_heard_at_the_next_token(writer):
    def tired(progress) -> None:
        if isinstance(progress, Written) and progress.done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        write(writer, Asked(QUESTION, tokens=50), tired)
    assert write(writer, Asked(QUESTION, tokens=2)).count <= 2


def test_a_character_of_several_tokens_comes_with_its_last_one():
    words = tokenizer()
    text = f"a{JAPANESE} 🎲 naïve"
    kinds = words(text)["input_ids"]
    pieces = Pieces(words)
    told = [pieces.add(kind) for kind in kinds]
    assert "".join(told) == text and "" in told and PART not in "".join(told)
    assert pieces.left() == ""
    pieces.add(words("む")["input_ids"][0])
    assert PART in pieces.left()


def test_no_code_and_no_pickle_comes_with_a_model(tmp_path):
    copy = tiny_language_model(tmp_path / "copy")
    (copy / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Own: pass\n")
    config = json.loads((copy / "config.json").read_text())
    own = {"AutoConfig": "own.Own", "AutoModelForCausalLM": "own.Own"}
    (copy / "config.json").write_text(json.dumps(config | {"model_type": "own", "auto_map": own}))
    with pytest.raises(ValueError, match="custom code|trust_remote_code"):
        opened(str(copy), local=True)
    (copy / "config.json").write_text(json.dumps(config))
    assert not (tmp_path / "ran").exists()
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(OSError, match="safetensors"):
        opened(str(copy), local=True)


def test_on_a_gpu_in_half_precision(folder, monkeypatch):
    moved: list = []
    monkeypatch.setattr(
        "transformers.LlamaForCausalLM.to",
        lambda self, device: moved.append(device) or self,  # there may be no GPU
    )
    network = opened(str(folder), torch.device("cuda"), "float16", local=True).network
    assert moved == [torch.device("cuda")] and network.dtype == torch.float16


# --- its files ------------------------------------------------------------------------------------


@pytest.fixture
def server_of() -> Iterator[Callable[..., TextServer]]:
    servers: list[TextServer] = []

    def make(repository: str) -> TextServer:
        model = LanguageModel(**chat_entry("A", repository))
        servers.append(TextServer(torch.device("cpu"), [model], Limits()))
        return servers[-1]

    yield make
    for server in servers:
        server.unload()


@pytest.mark.heavy
def test_it_is_fetched_without_code_and_writes(server_of, tmp_path, monkeypatch):
    folder = tiny_language_model(tmp_path / "model")
    for name in ("modeling.py", "pytorch_model.bin", "model.onnx"):
        (folder / name).write_bytes(b"nobody wants it")
    hub = Hub(folder)
    with serving(hub, tmp_path / "cache", monkeypatch):
        told = [*server_of(REPOSITORY).write("A", Asked(QUESTION, tokens=3))]
    stages = [progress.stage for progress in told]
    assert "Fetching A" in stages and "Opening A" in stages and WRITING in stages
    assert "model.safetensors" in hub.given
    assert not {"modeling.py", "pytorch_model.bin", "model.onnx"} & set(hub.given)


@pytest.mark.heavy
def test_without_a_network_a_plain_sentence(server_of, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(KnobError) as told:
        result_of(server_of(REPOSITORY).write("A", Asked(QUESTION)))
    assert str(told.value) == (
        "A could not be fetched: this server has no way to huggingface.co at the moment. The "
        "small one in the panel Word by word needs no network"
    )
