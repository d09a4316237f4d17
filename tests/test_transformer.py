"""The transformer, held to that of the transformers library."""

from __future__ import annotations

import pytest
import torch

from gen_core.families.gpt import Cached
from gen_core.nets.transformer import Transformer, TransformerConfig


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
