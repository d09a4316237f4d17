"""A random language model with a tokenizer and a chat template, made in a moment."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from text_fixtures import TALE

END = "<|im_end|>"
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SEES = 1024
"""Tokens."""


def tokenizer(template: str | None = TEMPLATE) -> PreTrainedTokenizerFast:
    """Byte pairs of a tale, all bytes among them, so that it reads any text."""
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<|im_start|>", END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    words.train_from_iterator([TALE], trainer)
    made = PreTrainedTokenizerFast(tokenizer_object=words, eos_token=END, pad_token=END)
    made.chat_template = template
    return made


def tiny_language_model(folder: Path, template: str | None = TEMPLATE) -> Path:
    """Saves one to the folder, which is returned."""
    torch.manual_seed(0)
    words = tokenizer(template)
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=SEES,
        initializer_range=0.3,
        bos_token_id=None,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def chat_entry(name: str, repository: Path | str, **changes: object) -> dict:
    """What a host writes into the list."""
    own = {} if changes.get("server") else {"gigabytes": 0.003}
    return {
        "name": name,
        "repository": str(repository),
        "licence": "None <i>yet</i>",
        "licence_page": "https://example.org/licence?a=1&b=2",
        **own,
    } | changes
