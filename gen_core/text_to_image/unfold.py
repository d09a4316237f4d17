"""Two layers more for the text encoder, solved instead of trained: they unfold a sketch in space.

After its training the end marker's vector knows how the first thing looks, but a denoiser learns
very slowly to lay a vector out in space, and a transformer hardly faster: for each patch it is
another linear map of the same vector. Each of these maps is a least-squares problem. So the
encoder gets 64 places more, one for each patch, and two layers. In the first, each place fetches
the end marker's vector, and tells clearly which place it is. The second has 16 neurons for each
place, open there and shut elsewhere, whose outputs are the map's.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPTextModel
from transformers.models.clip.modeling_clip import CLIPEncoderLayer

from gen_core.text_to_image.clip import text_config
from gen_core.text_to_image.patches import MARK_AT, NUMBERS, NUMBERS_AT, places
from gen_core.text_to_image.tokens import LENGTH, SIDE, TOKENS

PLACES = 2 * SIDE
NEURONS = SIDE**2 * NUMBERS + 2
"""Of a layer: the last two take off again what marks a word."""
WORD = 1500.0
"""A mark that words bear from the first of the two layers to the second, whose neurons it shuts."""
CODE = 40.0
"""Of a place's row and column in its embedding: what the trained layers add may not drown it."""
SHARP, FETCHED = 50.0, 4.0
"""Of attention's logits between what shall look at each other; how much of a vector is fetched."""
STEEP, OPEN, SHUT, SHUT_TO_WORDS = 20.0, 60.0, -120.0, -2400.0
"""Of the steps that tell a place; what an open neuron adds, to be in the straight part of its
activation; what stands at one that is shut, far in the flat part, at other places and at words."""
RIDGE = 1e-6
ELSEWHERE = 3e-3
"""Weight of a token of another place in the least squares: there a neuron need only be shut."""


@torch.no_grad()
def unfolded(text: CLIPTextModel, captions: Tensor, looks: Tensor) -> CLIPTextModel:
    """The same encoder with two layers and 64 places more. What it says of words stays.

    text: of 32 places; captions (N, 96) tokens, some thousands; looks (N, 64, 16) what the patches
    are to say of them, about 1 in size.
    """
    net = _with_places(text)
    hidden = _hidden(net, captions, len(text.encoder.layers))  # (N, 96, width) float32
    first, second = net.encoder.layers[-2:]
    _fetch(first, hidden, captions[:, :LENGTH] == text.config.eos_token_id)
    hidden = hidden + first.self_attn(first.layer_norm1(hidden), _causal(hidden))[0]
    _tell_places(first, hidden)
    hidden = hidden + first.mlp(first.layer_norm2(hidden))
    _write(second, hidden, _before(net.final_layer_norm, hidden, looks))
    return net


def _with_places(text: CLIPTextModel) -> CLIPTextModel:
    """Two layers that add nothing yet, and places that are told apart by a faint code."""
    c = text.config
    net = CLIPTextModel(
        text_config(
            c.vocab_size, c.hidden_size, c.num_hidden_layers + 2, TOKENS, intermediate_size=NEURONS
        )
    ).to(text.device)
    net.set_attn_implementation("eager")
    own = net.state_dict()
    for name, value in text.state_dict().items():
        if ".mlp." in name and value.shape != own[name].shape:
            own[name].zero_()
        own[name][tuple(map(slice, value.shape))] = value
    embedding = own["embeddings.position_embedding.weight"]
    embedding[LENGTH:] = 0
    embedding[LENGTH:, -PLACES:] = CODE * places().to(embedding)
    for layer in net.encoder.layers[-2:]:
        for linear in (layer.self_attn.out_proj, layer.mlp.fc1, layer.mlp.fc2):
            nn.init.zeros_(linear.weight)
            nn.init.zeros_(linear.bias)
    return net.eval()


def _hidden(net: CLIPTextModel, captions: Tensor, layer: int, size: int = 100) -> Tensor:
    return torch.cat([
        net(some, output_hidden_states=True).hidden_states[layer].float()
        for some in captions.split(size)
    ])  # fmt: skip


def _fetch(layer: CLIPEncoderLayer, hidden: Tensor, after: Tensor) -> None:
    """Places look at the end markers that follow the words (`after`, (N, 32)), words at the start
    marker: it says the same of every caption, which is taken off again."""
    seen = layer.layer_norm1(hidden)
    is_word = (torch.arange(TOKENS) < LENGTH).float().expand(len(seen), -1)
    start = (torch.arange(TOKENS) == 0).float().expand(len(seen), -1)
    asks, asks_bias = _discriminant(_flat(seen), _flat(torch.stack([is_word, 1 - is_word], 2)))
    after = F.pad(after.float(), (0, SIDE**2))
    tells, tells_bias = _sure_discriminant(_flat(seen), _flat(torch.stack([start, after], 2)))
    attention, width = layer.self_attn, hidden.shape[-1]
    size = width // attention.num_heads
    for linear, weight, bias, factor in (
        (attention.q_proj, asks, asks_bias, SHARP * size**0.5),
        (attention.k_proj, tells, tells_bias, 1.0),
    ):  # fmt: skip
        nn.init.zeros_(linear.weight), nn.init.zeros_(linear.bias)
        for head in range(attention.num_heads):
            rows = slice(head * size, head * size + 2)
            linear.weight[rows], linear.bias[rows] = factor * weight.T, factor * bias
    nn.init.eye_(attention.v_proj.weight), nn.init.zeros_(attention.v_proj.bias)
    fetched = FETCHED * (torch.arange(width) < width + MARK_AT).float()
    attention.out_proj.weight.copy_(torch.diag(fetched))
    attention.out_proj.bias.copy_(-fetched * seen[0, 0])


def _causal(hidden: Tensor) -> Tensor:
    tokens = hidden.shape[1]
    return torch.full((tokens, tokens), -1e9).to(hidden).triu(1)[None, None]


def _flat(x: Tensor) -> Tensor:
    return x.flatten(0, 1)


def _tell_places(layer: CLIPEncoderLayer, hidden: Tensor) -> None:
    """Writes a place's row and column as clean steps; OPEN less where numbers will stand, for the
    neurons that add it; and the mark of words."""
    kinds = F.pad(places(), (0, 1, LENGTH, 0))
    kinds[:LENGTH, -1] = 1
    seen = _flat(layer.layer_norm2(hidden))
    weight, bias = _discriminant(seen, kinds.to(hidden).repeat(len(hidden), 1))
    writes = torch.zeros(hidden.shape[-1], PLACES + 1)
    writes[-PLACES:, :PLACES] = CODE * torch.eye(PLACES)
    writes[NUMBERS_AT, :SIDE] = -OPEN
    writes[MARK_AT, -1] = WORD
    _step(layer, slice(0, 2 * PLACES + 2), weight, bias, writes)


def _step(
    layer: CLIPEncoderLayer, neurons: slice, weight: Tensor, bias: Tensor, writes: Tensor
) -> None:
    """Neurons, two for each of n functions of what a layer sees, weight (width, n): `writes`
    (width, n) is added where a function is above 0.6, and nothing where it is below 0.4."""
    mlp = layer.mlp
    mlp.fc1.weight[neurons] = STEEP * torch.cat([weight, weight], 1).T
    mlp.fc1.bias[neurons] = STEEP * torch.cat([bias - 0.4, bias - 0.6])
    mlp.fc2.weight[:, neurons] = torch.cat([writes, -writes], 1) / (0.2 * STEEP)


def _before(norm: nn.LayerNorm, hidden: Tensor, looks: Tensor) -> Tensor:
    """What must stand before the last normalisation, so that the looks stand after it."""
    here = hidden[:, LENGTH:].clone()
    here[..., NUMBERS_AT] = 0  # about what will stand there
    mean, size = here.mean(2)[..., None], here.std(2, correction=0).mean(0)[:, None]
    return (looks - norm.bias[NUMBERS_AT]) / norm.weight[NUMBERS_AT] * size + mean


def _write(layer: CLIPEncoderLayer, hidden: Tensor, wanted: Tensor) -> None:
    """The maps of all places: what is wanted there, less what stands there already."""
    width = hidden.shape[-1]
    seen = F.pad(layer.layer_norm2(hidden), (0, 1), value=1.0).double()  # 1: for the bias
    words, here = seen[:, :LENGTH].flatten(0, 1), seen[:, LENGTH:]
    level = here.mean(0)  # of the places: their variation around it is what an open neuron reads
    ridge = RIDGE * len(seen) * torch.eye(width + 1, dtype=seen.dtype, device=seen.device)
    shut, shut_sum = words.T @ words / LENGTH, SHUT_TO_WORDS * words.sum(0) / LENGTH
    for place in range(SIDE**2):
        missing = (wanted[:, place] - hidden[:, LENGTH + place, NUMBERS_AT]).double()
        others = level[torch.arange(SIDE**2) != place] * len(seen) ** 0.5
        squares = ELSEWHERE * (shut + others.T @ others) + ridge
        sums = ELSEWHERE * (shut_sum + SHUT * others.sum(0) * len(seen) ** 0.5)
        own = here[:, place]
        solved = torch.linalg.solve(own.T @ own + squares, own.T @ missing + sums[:, None]).float()
        rows = slice(place * NUMBERS, (place + 1) * NUMBERS)
        layer.mlp.fc1.weight[rows], layer.mlp.fc1.bias[rows] = solved[:-1].T, solved[-1]
        layer.mlp.fc2.weight[NUMBERS_AT, rows] = torch.eye(NUMBERS)
    marked = torch.zeros(width, 1)
    marked[MARK_AT] = 1 / float(words[:, :-1].mean(0)[MARK_AT])
    takes = torch.zeros(width, 1)
    takes[MARK_AT] = -WORD
    _step(layer, slice(NEURONS - 2, NEURONS), marked, torch.zeros(1), takes)


def _discriminant(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Linear functions of x (N, inputs) that are about 1 where y (N, outputs) is and 0 elsewhere,
    however rare it is: Fisher's discriminants."""
    x, weights, biases = x.double(), [], []
    for column in y.bool().T:
        one, other = x[column], x[~column]
        spread = torch.cov(one.T, correction=0) + torch.cov(other.T, correction=0)
        ridge = 1e-4 * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
        apart = one.mean(0) - other.mean(0)
        weight = torch.linalg.solve(spread + ridge, apart)
        weight = weight / (weight @ apart)
        weights.append(weight)
        biases.append(-weight @ other.mean(0))
    return torch.stack(weights, 1).float(), torch.stack(biases).float()


def _sure_discriminant(x: Tensor, y: Tensor, rounds: int = 12) -> tuple[Tensor, Tensor]:
    """Logistic regressions (both classes weigh the same), by Newton's method: unlike Fisher's
    discriminants they heed the few tokens that lie far off."""
    x = F.pad(x.double(), (0, 1), value=1.0)
    ridge = 1e-5 * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    weights = []
    for column in y.double().T:
        share = column / column.sum() + (1 - column) / (1 - column).sum()
        weight = torch.zeros_like(x[0])
        for _ in range(rounds):
            p = torch.sigmoid(x @ weight)
            slope = x.T @ (share * (column - p)) - ridge @ weight
            bend = (x * (share * p * (1 - p))[:, None]).T @ x + ridge
            weight = weight + torch.linalg.solve(bend, slope)
        one, other = (x[chosen] @ weight for chosen in (column > 0, column == 0))
        weight[-1] -= other.mean()
        weights.append(weight / (one.mean() - other.mean()))
    solved = torch.stack(weights, 1).float()
    return solved[:-1], solved[-1]
