"""The transformer, held to that of the transformers library."""

from __future__ import annotations

import pytest
import torch

from gen_core.evaluation.bench_texts import neox
from gen_core.families.gpt import Cached
from gen_core.nets import transformer
from gen_core.nets.transformer import LONG, Transformer, TransformerConfig


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


@torch.inference_mode()
@pytest.mark.parametrize("causal", [True, False])
def test_attention_over_many_tokens_is_the_same_by_another_way(causal, monkeypatch):
    torch.manual_seed(3)
    net = Transformer(TransformerConfig(40, 40, LONG, 16, 2, 2, causal=causal)).eval()
    x = torch.randint(40, (1, LONG))
    fused = net(x)[0]
    monkeypatch.setattr(transformer, "LONG", LONG + 1)
    by_hand = net(x)[0]
    assert torch.allclose(fused, by_hand, atol=1e-6)
    assert not torch.equal(fused, by_hand)  # there were two ways
