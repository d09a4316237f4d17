"""Text: tokens and back, a network held to the library's, draws that depend on the seed alone,
likelihoods that sum to one, and figures that say how good a text is."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from core_fixtures import tiny
from gen_core import Noise, final
from gen_core.data.text import SOURCES, TextData, Windows, in_paragraphs, load_text
from gen_core.data.tokenizers import (
    CHARACTERS,
    PIECE,
    Tokenizer,
    in_ascii,
    learn_merges,
    tokenizer,
    tokenizers,
)
from gen_core.evaluation.evaluate import Evaluation
from gen_core.evaluation.text_quality import PROBE, STRIDE, NGram, TextJudge, distinct, entropy
from gen_core.families.gpt import GPT, Cached
from gen_core.families.masked_diffusion import MaskedDiffusion
from gen_core.families.token_sampler import inverse_cdf, probabilities
from gen_core.knobs import KnobError
from gen_core.nets.transformer import Transformer, TransformerConfig

TALE = (
    "Once upon a time there was a king who had a golden bird, and the bird sang every night in the "
    "king's garden. 'Who sings there?' asked the king.\n\nNobody knew; the bird had flown away. "
)


# --- tokens ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", tokenizers())
def test_every_text_in_plain_english_comes_back(name):
    words = tokenizer(name)
    text = TALE + "".join(CHARACTERS) + "   x\n\n\n 12,345 -- 'tis!?"
    assert words.decode(words.encode(text)) == text
    assert len({*words.tokens}) == len(words) and words.decode([5, -1, 7]) == words.tokens[5]


def test_letters_that_are_not_read_are_brought_to_some_that_are_or_told():
    assert in_ascii("“Café” — naïve… ﬁne\r\nß") == ('"Cafe" -- naive... fine\nss', "")
    assert in_ascii("a 日本 b 🦊🦊") == ("a  b ", "日本🦊")
    assert in_ascii("<b>&amp;</b>") == ("<b>&amp;</b>", "")


def test_byte_pairs_are_the_commonest_first():
    assert learn_merges("abab ab", 1) == [("a", "b")]
    assert learn_merges("low low lower lowest", 3) == [("l", "o"), ("lo", "w"), (" ", "low")]
    assert learn_merges("ab", 9) == [("a", "b")]


def test_byte_pairs_are_those_of_the_tokenizers_library():
    library = pytest.importorskip("tokenizers")
    merges = learn_merges(TALE * 3, 60)
    ours = Tokenizer(merges)
    theirs = library.Tokenizer(library.models.BPE(vocab=ours.index, merges=merges))
    theirs.pre_tokenizer = library.pre_tokenizers.Split(library.Regex(PIECE.pattern), "isolated")
    for text in (TALE, "the king's kings, and 33 birds\n\n  sang"):
        assert ours.encode(text) == theirs.encode(text).ids


def test_merges_are_learned_as_the_tokenizers_library_learns_them():
    """Ties aside, of which this text has none among the first."""
    library = pytest.importorskip("tokenizers")
    theirs = library.Tokenizer(library.models.BPE())
    theirs.pre_tokenizer = library.pre_tokenizers.Split(library.Regex(PIECE.pattern), "isolated")
    text = "the then them the " * 40 + "a cat sat at a mat " * 9 + "on " * 5
    trainer = library.trainers.BpeTrainer(
        vocab_size=len({*text}) + 4, initial_alphabet=[*CHARACTERS][:0], show_progress=False
    )
    theirs.train_from_iterator([text], trainer)
    learned = sorted(theirs.get_vocab().items(), key=lambda pair: pair[1])[len({*text}) :]
    assert [first + second for first, second in learn_merges(text, 4)] == [w for w, _ in learned]


# --- the network ----------------------------------------------------------------------------------


def neox(net: Transformer):
    """The same network in transformers' hands, with the same weights."""
    library = pytest.importorskip("transformers")
    c = net.config
    theirs = library.GPTNeoXForCausalLM(
        library.GPTNeoXConfig(
            vocab_size=c.inputs,
            hidden_size=c.width,
            num_hidden_layers=c.depth,
            num_attention_heads=c.heads,
            intermediate_size=4 * c.width,
            max_position_embeddings=c.length,
            hidden_act="gelu_new",
            rotary_pct=1.0,
            use_parallel_residual=False,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=None,
        )
    ).eval()
    renamed = {
        "norm_1": "input_layernorm",
        "norm_2": "post_attention_layernorm",
        "attention.qkv": "attention.query_key_value",
        "attention.out": "attention.dense",
        "widen": "mlp.dense_h_to_4h",
        "narrow": "mlp.dense_4h_to_h",
    }
    weights = {"gpt_neox.embed_in.weight": net.tokens.weight}
    weights |= {f"gpt_neox.final_layer_norm.{k}": v for k, v in net.norm.state_dict().items()}
    for name, value in net.state_dict().items():
        if not name.startswith("blocks."):
            continue
        _, layer, part = name.split(".", 2)
        module, _, kind = part.rpartition(".")
        if module == "attention.qkv":  # theirs: head by head, each with its query, key and value
            value = value.unflatten(0, (3, c.heads, -1)).transpose(0, 1).flatten(0, 2)
        weights[f"gpt_neox.layers.{layer}.{renamed[module]}.{kind}"] = value
    missing, unexpected = theirs.load_state_dict(weights, strict=False)
    assert not unexpected and len(missing) <= 1  # the head's, by whatever name: embed_in's
    assert torch.equal(theirs.get_output_embeddings().weight, net.tokens.weight)
    return theirs


@pytest.fixture(scope="module")
def net() -> Transformer:
    torch.manual_seed(3)
    config = TransformerConfig(inputs=40, outputs=40, length=32, width=48, depth=3, heads=3)
    net = Transformer(config).eval()
    for weight in net.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    return net


@torch.inference_mode()
def test_the_network_says_what_that_of_transformers_says(net):
    x = torch.randint(40, (2, 32), generator=torch.Generator().manual_seed(0))
    assert torch.allclose(net(x)[0], neox(net)(x).logits, atol=1e-4)


@torch.inference_mode()
def test_greedy_text_is_that_of_transformers(net):
    """Drawn with our cache and with theirs."""
    prompt = torch.tensor([[7, 3, 11]])
    theirs = neox(net).generate(prompt, max_new_tokens=20, do_sample=False, pad_token_id=0)
    cached, x = Cached(net, first=7), prompt[:, 1:]
    for _ in range(20):
        x = torch.cat([x, cached(x).argmax(-1, keepdim=True)], dim=1)
    assert torch.equal(x, theirs[:, 1:])


@torch.inference_mode()
def test_only_a_causal_network_cannot_see_what_comes_later(net):
    x = torch.randint(40, (1, 12), generator=torch.Generator().manual_seed(1))
    changed = x.clone()
    changed[0, 8] = (changed[0, 8] + 1) % 40
    same = (net(x)[0] == net(changed)[0]).all(-1)[0]
    assert same[:8].all() and not same[8:].any()
    both_sides = Transformer(TransformerConfig(40, 40, 32, 48, 3, 3, causal=False)).eval()
    both_sides.load_state_dict(net.state_dict())
    assert not (both_sides(x)[0] == both_sides(changed)[0]).all(-1).any()


@torch.inference_mode()
def test_attention_is_a_share_for_each_earlier_token(net):
    maps = net.attention(torch.arange(10)[None])
    assert maps.shape == (3, 1, 3, 10, 10)
    assert torch.allclose(maps.sum(-1), torch.ones(3, 1, 3, 10)) and not maps.triu(1).any()


@torch.inference_mode()
def test_what_was_said_before_need_not_be_computed_again(net):
    x = torch.randint(40, (2, 31), generator=torch.Generator().manual_seed(2))
    cached = Cached(net, first=39)
    whole = net(torch.nn.functional.pad(x, (1, 0), value=39))[0]
    for n in range(5, 32):  # five tokens at once, then one by one
        assert torch.allclose(cached(x[:, :n]), whole[:, n], atol=1e-4)


# --- drawing a token ------------------------------------------------------------------------------


def test_temperature_top_k_and_top_p():
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()
    assert torch.allclose(probabilities(logits), logits.double().exp())
    assert probabilities(logits, temperature=0).tolist() == [1, 0, 0, 0]
    assert torch.equal(probabilities(logits, top_k=1), probabilities(logits, temperature=0))
    expected = torch.tensor([0.25, 0.09, 0.0225, 0.0025], dtype=torch.float64)
    cold = probabilities(logits, temperature=0.5)
    assert torch.allclose(cold, expected / expected.sum(), atol=1e-6)
    two = torch.tensor([0.625, 0.375, 0, 0], dtype=torch.float64)
    for knobs in ({"top_k": 2}, {"top_p": 0.6}, {"top_p": 0.8}, {"top_k": 3, "top_p": 0.8}):
        assert torch.allclose(probabilities(logits, **knobs), two, atol=1e-6)
    assert probabilities(logits, top_p=0.0).tolist() == [1, 0, 0, 0]
    assert probabilities(torch.zeros(4), temperature=0).tolist() == [1, 0, 0, 0]


def test_top_k_and_top_p_are_those_of_transformers():
    library = pytest.importorskip("transformers")
    logits = torch.randn(5, 50, generator=torch.Generator().manual_seed(0)) * 3
    for knobs, warp in (
        ({"top_k": 7}, library.TopKLogitsWarper(7)),
        ({"top_p": 0.7}, library.TopPLogitsWarper(0.7)),
        ({"temperature": 0.6}, library.TemperatureLogitsWarper(0.6)),
    ):
        theirs = warp(None, logits.clone()).double().softmax(-1)
        assert torch.allclose(probabilities(logits, **knobs), theirs, atol=1e-6)


def test_a_uniform_number_picks_the_token_where_the_sum_passes_it():
    p = torch.tensor([[0.25, 0.0, 0.5, 0.25, 0.0]], dtype=torch.float64)
    for u, token in ((0.0, 0), (0.2499, 0), (0.25, 2), (0.7499, 2), (0.75, 3), (1 - 1e-16, 3)):
        assert int(inverse_cdf(p, torch.tensor([u], dtype=torch.float64))) == token


def test_tokens_come_as_often_as_they_are_likely():
    p = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64)
    u = Noise(range(4)).rand(5000, dtype=torch.float64).flatten()
    share = inverse_cdf(p.expand(len(u), -1), u).bincount() / len(u)
    assert torch.allclose(share.double(), p, atol=4 * math.sqrt(0.25 / len(u)))


# --- GPT ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gpt() -> GPT:
    return opinionated("gpt")


def opinionated(family: str, **changes):
    """A tiny model whose answers depend on what it reads."""
    model = tiny(family, **changes)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    return model


def differs(one: torch.Tensor, other: torch.Tensor) -> bool:
    return not torch.equal(one, other)


def test_a_seed_writes_the_same_alone_with_others_and_without_the_cache(gpt, monkeypatch):
    """Float32 sums differ in their last digits with the batch; a token may flip where its uniform
    number lies at a boundary: in at most 1 of 200 seeds."""
    seeds = range(192)
    together = torch.cat([final(gpt.sample(Noise(seeds[k : k + 64]))) for k in (0, 64, 128)])
    threes = torch.cat([final(gpt.sample(Noise(seeds[k : k + 3]))) for k in range(0, 192, 3)])
    monkeypatch.setattr(Cached, "_keep", lambda self, new: None)  # nothing is remembered
    without = torch.cat([final(gpt.sample(Noise(seeds[k : k + 64]))) for k in (0, 64, 128)])
    assert sum(map(differs, together, threes)) <= 1
    assert sum(map(differs, together, without)) <= 1
    assert sum(map(differs, together, together.roll(1, 0))) == 192


def test_where_two_draws_part_the_number_lies_at_a_boundary(gpt):
    """As close to it as the two answers differ."""
    u = Noise(range(200)).rand(gpt.config.length, dtype=torch.float64)
    logits = torch.randn(200, 96, generator=torch.Generator().manual_seed(0))
    nudged = logits + 1e-5 * torch.randn(200, 96, generator=torch.Generator().manual_seed(1))
    p, q = probabilities(logits), probabilities(nudged)
    parted = (inverse_cdf(p, u[:, 0]) != inverse_cdf(q, u[:, 0])).nonzero().flatten()
    for row in parted:
        assert (p[row].cumsum(0) - u[row, 0]).abs().min() < 1e-4
    assert len(parted) <= 2


def test_top_k_of_one_is_the_likeliest_token_whatever_the_seed(gpt):
    greedy = final(gpt.sample(Noise([1, 2]), prompt="Ab", temperature=0.0))
    assert torch.equal(greedy, final(gpt.sample(Noise([3, 4]), prompt="Ab", top_k=1)))
    assert torch.equal(greedy[0], greedy[1])


def test_one_goes_on_from_an_edit_and_all_before_it_stays(gpt):
    x = final(gpt.sample(Noise([5, 6])))
    edited = x.clone()
    edited[:, 9] = (x[:, 9] + 1) % 96
    edited[:, 10:] = -1
    again = final(gpt.sample(Noise([5, 6]), given=edited))
    assert torch.equal(again[:, :10], edited[:, :10]) and differs(again[:, 10:], x[:, 10:])
    edited[:, 9] = x[:, 9]
    assert torch.equal(final(gpt.sample(Noise([5, 6]), given=edited)), x)  # undone
    assert torch.equal(final(gpt.sample(Noise([6]), given=edited[1])), x[1:])


def test_the_total_is_told_before(gpt):
    given = torch.full((24,), -1)
    given[:3] = 5
    for knobs in ({}, {"tokens": 4}, {"prompt": "Ab"}, {"given": given}):
        *_, last = gpt.sample(Noise([0]), **knobs)
        assert last.total == gpt.total(knobs)


def test_a_prompt_beside_rows_to_go_on_from_is_refused(gpt):
    with pytest.raises(KnobError, match="leave the prompt out"):
        final(gpt.sample(Noise([0]), prompt="A", given=torch.full((24,), -1)))


def test_what_one_cannot_go_on_from_is_refused(gpt):
    hole = torch.zeros(24, dtype=torch.long)
    hole[3] = -1
    ragged = torch.zeros(2, 24, dtype=torch.long)
    ragged[0, 5:] = ragged[1, 6:] = -1
    wrong = (torch.zeros(7, dtype=torch.long), torch.zeros(24), hole, ragged)
    for given in (*wrong, torch.full((24,), 96), torch.full((24,), -2)):
        with pytest.raises(KnobError, match="given"):
            final(gpt.sample(Noise([0, 1]), given=given))


def test_a_beginning_is_kept_and_of_a_long_one_its_end(gpt):
    text = gpt.text(final(gpt.sample(Noise([0, 1]), prompt="King: ", tokens=4)))
    assert all(t.startswith("King: ") and len(t) == 10 for t in text)
    long = "".join(itertools.islice(itertools.cycle("abcdef"), 20_000))
    (written,) = gpt.text(final(gpt.sample(Noise([0]), prompt=long, tokens=3)))
    assert written[:12] == long[-12:] and len(written) == 15
    with pytest.raises(KnobError, match="20,001 characters"):
        gpt.sample(Noise([0]), prompt="a" * 20_001)


@pytest.mark.parametrize("prompt", ["", "日本語", "<script>alert(1)</script>", "\x00\ud800", "   "])
@pytest.mark.parametrize("family", ["gpt", "masked-diffusion"])
def test_any_text_can_be_a_beginning(family, prompt):
    model = tiny(family)
    (written,) = model.text(final(model.sample(Noise([0]), prompt=prompt)))
    read = in_ascii(prompt.encode("utf-8", "replace").decode())[0][-12:]
    assert written.startswith(read) and len(written) == 24


@torch.inference_mode()
def test_the_probabilities_of_all_texts_sum_to_one():
    small = opinionated("gpt", length=2)
    every = torch.cartesian_prod(torch.arange(96), torch.arange(96))
    assert math.isclose(float(small.log_prob(every).exp().sum()), 1, abs_tol=1e-4)


def test_dropout_follows_from_the_generator_and_touches_no_other_numbers():
    model = tiny("gpt", dropout=0.5).train()
    x, rng = torch.randint(96, (4, 24)), torch.Generator()
    before = torch.get_rng_state()
    losses = [model.loss(x, x[:, 0], rng.manual_seed(seed))["loss"] for seed in (1, 1, 2)]
    assert losses[0] == losses[1] != losses[2]
    assert torch.equal(torch.get_rng_state(), before)


# --- masked diffusion -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def diffusion() -> MaskedDiffusion:
    return opinionated("masked-diffusion")


def test_as_many_tokens_appear_in_each_step_as_chance_has_it(diffusion):
    frames = list(diffusion.sample(Noise(range(50)), steps=8))
    drawn = [int((frame.x >= 0).sum()) / frame.x.numel() for frame in frames]
    assert drawn[0] == 0 and drawn[-1] == 1
    assert all(abs(share - k / 8) < 0.06 for k, share in enumerate(drawn))


def test_tokens_appear_everywhere_and_the_beginning_stays(diffusion):
    frames = list(diffusion.sample(Noise([0]), prompt="Once", steps=6))
    assert all(diffusion.text(f.x)[0].startswith("Once") for f in frames)
    middle = frames[3].x[0, 4:] >= 0
    assert middle.any() and not middle.all() and (middle.diff() != 0).sum() > 2
    assert all((f.x0 >= 0).all() for f in frames[:-1])


@torch.inference_mode()
def test_the_bound_of_a_network_that_knows_nothing_is_that_of_chance():
    model = tiny("masked-diffusion")
    model.net.tokens.weight.zero_()
    x = torch.randint(96, (3, 24), generator=torch.Generator().manual_seed(0))
    assert torch.allclose(model.bound(x), torch.full((3,), 24 * math.log(96)), rtol=1e-5)


@torch.inference_mode()
def test_the_bound_is_the_mean_over_all_orders_in_which_tokens_can_be_drawn(diffusion):
    """Of two tokens: either the first and then the second, which sees it, or the other way round
    (Hoogeboom et al. 2022, eq. 3)."""
    model = opinionated("masked-diffusion", length=2)
    x = torch.tensor([[30, 41]])
    hidden = torch.tensor([[-1, -1], [30, -1], [-1, 41]])
    log_p = model._logits(hidden).log_softmax(-1)
    first_alone, second_alone = log_p[0, 0, 30], log_p[0, 1, 41]
    orders = [first_alone + log_p[1, 1, 41], second_alone + log_p[2, 0, 30]]
    rng = torch.Generator().manual_seed(0)
    bounds = model.bound(x.expand(4000, -1), rng)
    expected = -float(torch.stack(orders).mean())
    assert math.isclose(float(bounds.mean()), expected, abs_tol=5 * float(bounds.std()) / 4000**0.5)
    losses = torch.stack(
        [model.loss(x.expand(64, -1), x[:, 0], rng.manual_seed(k))["loss"] for k in range(60)]
    )
    spread = float(losses.std()) / 60**0.5
    assert math.isclose(2 * float(losses.mean()), expected, abs_tol=10 * spread)


# --- texts to learn from --------------------------------------------------------------------------


def test_broken_lines_become_paragraphs_and_poems_stay_poems():
    text = "A king had\na bird.  \nIt sang:\n\n   Tra la,\n   tra la!\n\n\n\nThe end.\n"
    assert in_paragraphs(text) == "A king had a bird. It sang:\n\nTra la,\ntra la!\n\nThe end."


@pytest.mark.parametrize("name", SOURCES)
def test_nine_tenths_are_for_training_and_the_rest_for_tests(tmp_path, name):
    source = SOURCES[name]
    (tmp_path / "text").mkdir()
    text = "".join(f"{n:04d} " for n in range(1600))
    (tmp_path / "text" / source.file).write_text(text)
    train, test = (load_text(name, split, tmp_path, False).text for split in ("train", "test"))
    assert len(train) + len(test) == len(in_paragraphs(text) if name == "tales" else text)
    assert abs(len(test) / len(text) - 0.1) < 0.01
    known = {train[k : k + 12] for k in range(len(train))}
    inside = [test[k : k + 12] for k in range(0, len(test) - 12, 3)]
    assert not known & {*inside}


def test_windows_begin_everywhere():
    data = TextData("x", "abcdefgh").windows(tokenizer("characters"), 3)
    assert isinstance(data, Windows) and len(data) == 6
    x, label = data.batch(torch.tensor([0, 5]))
    assert [tokenizer("characters").decode(row) for row in x.tolist()] == ["abc", "fgh"]
    assert label.tolist() == [0, 0]


# --- how good a text is ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def judge() -> TextJudge:
    return TextJudge.on(TALE * 4)


@pytest.mark.parametrize("history", ["", "the", "king", "zzzz", "e k"])
def test_what_may_follow_has_probabilities_that_sum_to_one(judge, history):
    after = [float(judge.ngram.log_probs(history + c)[-1].exp()) for c in CHARACTERS]
    assert math.isclose(sum(after), 1, abs_tol=1e-9) and min(after) > 0


def test_back_off_by_hand():
    """ "ab" then "aa" once each after a: p(b | a) = (1 + 2 p(b)) / (2 + 2), p(b) by its count of 1
    in 4 and 2 kinds, and by chance."""
    ngram = NGram.of("abaa")
    p_b = (1 + 2 / 96) / (4 + 2)
    p_b_after_a = (1 + 2 * p_b) / (2 + 2)
    assert math.isclose(float(ngram.log_probs("ab")[1].exp()), p_b_after_a)


def test_its_own_text_surprises_the_judge_least(judge):
    known, new, noise = TALE, "The queen asked a fox about the sky.", "xq zk!! vw 7Q"
    assert judge.bits_per_character(known) < 1.2
    assert judge.bits_per_character(known) < judge.bits_per_character(new)
    assert judge.bits_per_character(new) < judge.bits_per_character(noise)


def test_copied_runs_are_found(judge):
    copied = TALE[40:140]
    found = judge.longest_copy(f"A fox said: {copied} and left.")
    assert 100 - 2 * STRIDE <= found <= 100
    assert judge.longest_copy("A fox went home and slept there for a week.") == 0
    assert judge.longest_copy(TALE[: PROBE - 1]) == 0 and judge.longest_copy("") == 0


def test_a_judge_comes_back_from_what_a_checkpoint_keeps(judge):
    class Kept:
        extra = judge.tensors()

    again = TextJudge.of(Kept())
    assert again.bits_per_character(TALE[:90]) == judge.bits_per_character(TALE[:90])
    assert again.longest_copy(TALE[:90]) == judge.longest_copy(TALE[:90])


def test_dull_texts_have_little_entropy_and_few_new_runs():
    assert f"{entropy([1, 1]):.1f}" == "0.0" and entropy([1, 2, 3, 4]) == 2
    assert distinct([1, 2] * 10) == 2 / 17 and distinct([*range(9)]) == 1 == distinct([1, 2])


@pytest.mark.parametrize("family", ["gpt", "masked-diffusion"])
def test_a_model_of_text_is_measured_by_the_test_text_and_by_what_it_writes(tmp_path, family):
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / SOURCES["tales"].file).write_text(TALE * 40)
    model = opinionated(family)
    model.card = {"data": "tales"}
    seen = []
    evaluation = Evaluation(None, 100, 50, 0, str(tmp_path), seen.append, {"temperature": 0.0})
    found = model.extra_metrics(evaluation)
    rows = TextData("", load_text("tales", "test", tmp_path, False).text)
    x, _ = rows.windows(model.words, 24).batch(torch.tensor([0, 24]))
    nats = float(model.nats(x).mean()) / 24
    assert found["characters"] % 24 == 0 and found["samples"] == 100 and seen
    assert math.isclose(found[model.figure], nats / math.log(2), rel_tol=0.3)
    assert found["longest_copy"] == 0 and 0 < found["distinct_4"] <= 1
    assert found["judge_bits"] > 4 and 0 <= found["entropy"] <= math.log2(24)


def test_where_the_text_is_missing_it_is_said_what_was_left_out(tmp_path):
    model = opinionated("gpt")
    model.card = {"data": "tales"}
    found = model.extra_metrics(Evaluation(None, 100, 50, 0, str(tmp_path), lambda _: None))
    assert "is not on this machine" in found["left_out"]["bits_per_character"]
