"""Who is whose by hand, for `truth`: what a tensor of a Paddle model is called in its PyTorch model."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

State = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """names: expressions on the twin's name and what they become, in order, all that match. prepare: the reference's state dict
    with its fused weights taken apart,
    or put together. fresh: the twin's tensors that stay as they were built (tables of positions). turned: the
    twin's tensors that are transposed, besides the weights of its Linear layers. in_order: both define their layers in one
    order, names say nothing."""

    names: Mapping[str, str]
    prepare: Callable[[State], State] = dict
    fresh: str = r"position_ids$|inv_freq$|num_batches_tracked$"
    turned: str = "^$"
    in_order: bool = False

    def name(self, twin: str) -> str:
        for pattern, text in self.names.items():
            twin = re.sub(pattern, text, twin)
        return twin

    def is_turned(self, name: str) -> bool:
        return bool(re.search(self.turned, name))

    def is_fresh(self, name: str) -> bool:
        return bool(re.search(self.fresh, name))


_BATCH_NORM = {r"\._mean$": ".running_mean", r"\._variance$": ".running_var"}
_SNAKE = {"layer_norm": "LayerNorm"}
_BERT = {r"encoder\.layers": "encoder.layer", r"self_attn\.q_proj": "attention.self.query",
         r"self_attn\.k_proj": "attention.self.key",
         r"self_attn\.v_proj": "attention.self.value", r"self_attn\.out_proj": "attention.output.dense",
         "linear1": "intermediate.dense",
         "linear2": "output.dense", r"norm1\.": "attention.output.LayerNorm.", r"(\d+)\.norm2\.": r"\1.output.LayerNorm.",
         "layer_norm": "LayerNorm"}
_BERT_MLM = _BERT | {r"cls\.predictions\.transform": "cls.predictions.transform.dense",
                     r"cls\.predictions\.LayerNorm": "cls.predictions.transform.LayerNorm", "decoder_bias": "bias"}
_BART = {r"(en|de)coder\.(en|de)coder[._]": r"\1coder.", "layernorm$": "layer_norm", "cross_attn": "encoder_attn",
         "linear1": "fc1", "linear2": "fc2", r"norm1\.": "self_attn_layer_norm.",
         r"(encoder\.layers\.\d+)\.norm2\.": r"\1.final_layer_norm.", r"norm2\.": "encoder_attn_layer_norm.",
         r"norm3\.": "final_layer_norm."}
_BART_LAST = _BART | {r"coder\.layernorm\.": "coder.layer_norm."}
_DECODER = {r"norm1\.": "self_attn_layer_norm.", r"norm2\.": "final_layer_norm.", "linear1": "fc1", "linear2": "fc2"}
_CLIP = {"conv1": "embeddings.patch_embedding", "class_embedding": "embeddings.class_embedding",
         "positional_embedding": "embeddings.position_embedding",
         "ln_pre": "pre_layrnorm", "ln_post": "post_layernorm", r"transformer\.layers": "encoder.layers", "linear1": "mlp.fc1",
         "linear2": "mlp.fc2",
         r"norm(\d)\.": r"layer_norm\1.", "token_embedding": "embeddings.token_embedding", "ln_final": "final_layer_norm"}


_DISTILBERT = {r"encoder\.layers": "transformer.layer", r"self_attn\.([qkv])_proj": r"attention.\1_lin",
               r"self_attn\.out_proj": "attention.out_lin", "linear1": "ffn.lin1",
               "linear2": "ffn.lin2", r"norm1\.": "sa_layer_norm.", r"norm2\.": "output_layer_norm.",
               r"embeddings\.layer_norm": "embeddings.LayerNorm"}
_GPT2 = {r"embeddings\.word_embeddings": "wte", r"embeddings\.position_embeddings": "wpe", r"decoder\.layers": "h",
         r"self_attn\.out_proj": "attn.c_proj", "self_attn": "attn",
         "linear1": "mlp.c_fc", "linear2": "mlp.c_proj", r"norm(\d)\.": r"ln_\1.", r"decoder\.norm": "ln_f"}
_OPT = {r"embeddings\.word_embeddings": "decoder.embed_tokens",
        r"embeddings\.position_embeddings": "decoder.embed_positions"} | _DECODER


def _split(old: str, *new: str) -> Callable[[State], State]:
    """A fused weight of the reference, in equal parts along its outputs, under the names of the parts."""
    def prepare(state: State) -> State:
        made = {}
        for name, value in state.items():
            if re.search(old, name):
                made |= {re.sub(old, part, name): piece for part, piece in zip(new, value.chunk(len(new)), strict=True)}
        return {name: value for name, value in state.items() if not re.search(old, name)} | made
    return prepare


def _gpt2(state: State) -> State:
    """transformers' Conv1D holds (in, out), and q, k, v side by side."""
    turned = {name: value.T if value.ndim == 2 and ("attn.c" in name or "mlp" in name) else value
              for name, value in state.items()}
    return _split("c_attn", "q_proj", "k_proj", "v_proj")(turned)


_ALBERT = Rule(_SNAKE | {"full_layer_LayerNorm": "full_layer_layer_norm"})
_IN_ORDER = Rule({}, in_order=True)
_TIMM = Rule(_BATCH_NORM)

# U-GAT-IT and the systems that it is measured against: torch_ref against paddle_impl, in which everything has one name.
OWN_TWINS = ("ugatit_light", "cyclegan_generator", "cyclegan_discriminator", "attentiongan_generator", "munit_generator",
             "munit_discriminator", "unit_generator", "drit_content", "drit_attributes", "drit_generator", "drit_discriminator",
             "drit_content_discriminator")
RULES = {
    **dict.fromkeys(("resnet18", "resnet50", "wide_resnet50", "resnext50", "vgg11", "mobilenet_v2", "mobilenet_v3_small",
                     "mobilenet_v3_large", "densenet121", "squeezenet1_0", "squeezenet1_1", "shufflenet_v2", "googlenet",
                     "inception_v3", "alexnet"), _IN_ORDER),
    "resnet50_224": _IN_ORDER,
    "vit": _TIMM,
    "vit_b16": _TIMM,
    "deit": _TIMM,
    "convnext": Rule({r"downsample_layers\.0\.": "stem.", r"downsample_layers\.(\d)\.": r"stages.\1.downsample.",
                      r"^stages\.(\d)\.(\d)\.": r"stages.\1.blocks.\2.", "dwconv": "conv_dw",
                      r"pwconv(\d)": r"mlp.fc\1", "^norm": "head.norm", r"^head\.(?!norm)": "head.fc."}),
    "swin": Rule({r"^head\.": "head.fc.", r"layers\.0\.downsample": "layers.1.downsample"},
                 fresh="relative_position_index$|attn_mask$"),
    "mobilevit": _IN_ORDER,
    "pvt_v2": _IN_ORDER,
    "starnet": _TIMM,
    "fasternet": Rule({r"stages\.1\.": "stages.1.downsample.", r"stages\.2\.": "stages.1.",
                       r"stages\.3\.": "stages.2.downsample.", r"stages\.4\.": "stages.2.",
                       r"stages\.5\.": "stages.3.downsample.",
                       r"stages\.6\.": "stages.3."} | _BATCH_NORM | {"^head": "classifier",
                                                                     r"avgpool_pre_head\.1": "conv_head"}),
    "twins": _TIMM,
    "dla": _IN_ORDER,
    "repvgg": _IN_ORDER,

    "bert": Rule(_BERT),
    "bert_base": Rule(_BERT),
    "roformer_mlm": Rule(_BERT_MLM, fresh="pooler|embed_positions"),
    "roberta": Rule(_BERT),
    "electra": Rule(_BERT),
    "ernie": Rule(_BERT),
    "albert": _ALBERT,
    "t5": Rule({}),
    "mt5": Rule({}),
    "bart": Rule(_BART),
    "mbart": Rule(_BART_LAST | {r"coder\.norm\.": "coder.layer_norm."}),
    "gpt2": Rule(_GPT2, _gpt2),
    "opt": Rule(_OPT),
    "llama": Rule({}),
    "llama_lm": Rule({"^llama": "model"}, turned="lm_head"),
    "distilbert": Rule(_DISTILBERT),
    "clip_text": Rule(_CLIP),
    "clip_vision": Rule(_CLIP),
    "bloom": Rule({}),
    "albert_defaults": _ALBERT,
    "bert_padding": Rule(_BERT),
    "bert_mask": Rule(_BERT),
    "bert_mlm": Rule(_BERT_MLM, fresh=r"bert\.pooler"),
    "roberta_classifier": Rule(_BERT),
    "electra_discriminator": Rule(_BERT),
    "t5_lm": Rule({r"^t5\.": ""}, fresh="lm_head"),
    "opt_lm": Rule({r"^opt\.": "model.", r"lm_head\.decoder_weight": "lm_head.weight"} | _OPT),
    "gpt2_lm": Rule({r"^gpt\.": "transformer."} | _GPT2, _gpt2),
    "distilbert_classifier": Rule(_DISTILBERT),
    "deberta_v2": Rule({}),
    "fnet": Rule(_SNAKE | {r"encoder\.layers": "encoder.layer"}),
    "gptj": Rule({}, fresh=r"attn\.bias$|masked_bias$"),
    "layoutlm": Rule(_BERT),
    "megatronbert": Rule({"layer_norm": "ln"}),
    "mpnet": Rule({r"attention\.([qkvo])\.": r"attention.attn.\1.", "layer_norm": "LayerNorm",
                   r"(layer\.\d+)\.LayerNorm": r"\1.output.LayerNorm", r"ffn\.": "intermediate.dense.",
                   r"ffn_output": "output.dense"}),
    "squeezebert": Rule({}),

    **dict.fromkeys(OWN_TWINS, Rule({})),
}
