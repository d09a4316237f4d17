"""How fast a GPT writes: with its cache and without, and beside the transformers library."""

import statistics
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gen_core.evaluation.rounds import interleaved, ratio
from gen_core.families.gpt import GPT
from gen_core.families.token_sampler import TokenSampler
from gen_core.family import UNDRAWN
from gen_core.nets.transformer import Transformer
from gen_core.progress import Report, ignore
from gen_core.sampling import Noise, final

TOKENS = 128
RENAMED = {
    "norm_1": "input_layernorm",
    "norm_2": "post_attention_layernorm",
    "attention.qkv": "attention.query_key_value",
    "attention.out": "attention.dense",
    "widen": "mlp.dense_h_to_4h",
    "narrow": "mlp.dense_4h_to_h",
}
"""Parts of a block -> as GPT-NeoX has them."""


def neox(net: Transformer) -> Any:
    """The same network in the hands of the transformers library, with the same weights: a
    `GPTNeoXForCausalLM`. Raises RuntimeError where it has a weight that the library has not."""
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    c = net.config
    theirs = GPTNeoXForCausalLM(
        GPTNeoXConfig(
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
    weights = {"gpt_neox.embed_in.weight": net.tokens.weight}
    weights |= {f"gpt_neox.final_layer_norm.{k}": v for k, v in net.norm.state_dict().items()}
    for name, value in net.state_dict().items():
        if not name.startswith("blocks."):
            continue
        _, layer, part = name.split(".", 2)
        module, _, kind = part.rpartition(".")
        if module == "attention.qkv":  # theirs: head by head, each with its query, key and value
            value = value.unflatten(0, (3, c.heads, -1)).transpose(0, 1).flatten(0, 2)
        weights[f"gpt_neox.layers.{layer}.{RENAMED.get(module, module)}.{kind}"] = value
    missing, unexpected = theirs.load_state_dict(weights, strict=False)
    tied = theirs.get_output_embeddings().weight is theirs.get_input_embeddings().weight
    if unexpected or len(missing) > tied:  # the head's, which is the tokens'
        raise RuntimeError(f"weights that fit nowhere: {unexpected}; that are missing: {missing}")
    return theirs.to(next(net.parameters()).device)


def without_cache(model: GPT, tokens: int) -> Tensor:
    """A text, (1, length), for each token of which the network reads all before it anew."""

    def next_logits(x: Tensor) -> Tensor:
        return model.net(F.pad(x, (1, 0), value=model.special))[0][:, -1].float()

    length = model.config.length
    x = torch.full((1, length), UNDRAWN, device=model.device)
    u = Noise([0]).rand(length, dtype=torch.float64)
    with torch.inference_mode():
        return final(TokenSampler(next_logits).frames(x, u, 0, tokens))


def compare_texts(model: GPT, rounds: int, progress: Report = ignore) -> dict[str, Any]:
    """Tokens a second of one text of at most `TOKENS`, drawn by ours and by the library's
    `generate`, both on the same weights."""
    theirs, tokens = neox(model.net), min(TOKENS, model.config.length)
    start = torch.full((1, 1), model.special, device=model.device)
    asked = {"do_sample": True, "top_k": 0, "max_new_tokens": tokens, "min_new_tokens": tokens}

    def library() -> Tensor:
        return theirs.generate(
            start, attention_mask=torch.ones_like(start), pad_token_id=0, **asked
        ).cpu()

    jobs = {
        "ours": lambda: final(model.sample(Noise([0]), tokens=tokens)),
        "without cache": lambda: without_cache(model, tokens),
        "transformers": library,
    }
    seconds = interleaved(jobs, rounds, progress, "texts")
    return {
        "tokens": tokens,
        "rounds": rounds,
        "tokens_a_second": {n: round(tokens / statistics.median(s), 1) for n, s in seconds.items()},
        "cache_over_none": ratio(seconds["ours"], seconds["without cache"]),
        "ours_over_transformers": ratio(seconds["ours"], seconds["transformers"]),
    }


def texts_as_text(result: dict[str, Any]) -> list[str]:
    """What `compare_texts` returns as lines for a terminal."""
    rates = result["tokens_a_second"].items()
    return [
        f"GPT, one text of {result['tokens']} tokens, medians of {result['rounds']} rounds:",
        *(f"  {name:<14}{rate:9.1f} tokens a second" for name, rate in rates),
        f"  time with cache / without   {result['cache_over_none']:.2f}",
        f"  time, ours / transformers   {result['ours_over_transformers']:.2f}   (aim: at most 1)",
    ]
