/// What is special about files of the corpus, reviewed one by one.
enum CorpusTables {
  /// Files without rotary position embedding, refused under this pointer for this encoding.
  static let refused: [String: (pointer: String, encoding: String, why: String)] = [
    "Baichuan-13B": ("/hidden_size", "ALiBi", "the 13B code of Baichuan uses ALiBi, the 7B code RoPE"),
    "Nemotron-H-56B-Base-8K": ("/model_type", "no position encoding", "its attention layers rotate nothing"),
    "WizardCoder-15B-GPTQ": ("/model_type", "learned", "StarCoder (gpt_bigcode) adds learned positions"),
    "albert-base-v1": ("/model_type", "learned", "BERT's learned positions"),
    "bert-base": ("/model_type", "learned", "learned positions"),
    "bloom": ("/model_type", "ALiBi", "ALiBi"),
    "jamba": ("/model_type", "no position encoding", "Mamba layers carry the order, attention rotates nothing"),
    "lodestone-base-4096-v1": ("/alibi_starting_size", "ALiBi", "a BERT whose code replaces positions by ALiBi"),
    "mpt-7b": ("/attn_config/alibi", "ALiBi", "ALiBi, said by the file"),
    "opt-tabs": ("/model_type", "learned", "learned positions"),
    "t5": ("/model_type", "relative", "relative position buckets"),
    "whisper": ("/model_type", "learned", "learned positions in the decoder, fixed sinusoids in the encoder"),
  ]

  /// Files that name no base, and why they need none.
  static let withoutBase: [String: String] = [
    "Baichuan2-7B": "the model's code has 10000",
    "Llama-2-7b-hf": "written before the member existed, readers take 10000",
    "c4ai-command-r-v01-minimal": "a shortened file, the class has a default",
    "chatglm-6b": "the model's code has 10000, and two rotations for a position and a block",
    "codegeex2-6b": "the model's code has 10000",
    "codegen-2B": "the model's code has 10000",
    "falcon-180B-chat": "the class has 10000",
    "falcon-40b-indent3": "the class has 10000",
    "gemma-3-4b-it": "a file of differences, the class has 1000000 and 10000",
    "glm-4-9b-chat": "the model's code has 10000 times rope_ratio, which this copy lacks",
    "gpt-j-6b-tabs": "the model's code has 10000",
    "hf2q-tiny-model": "a test model without positions",
    "llama-1-oneline": "written before the member existed",
    "llava-v1.5-7b": "the language model is Llama 2",
    "phi-1_5-mixformer": "the model's code has 10000",
    "xgen-mm-phi3": "a file of differences, the language model's own config has the values",
  ]

  /// Files that do not say how much of a head rotates, of families that rotate a part.
  static let withoutRotaryDimension: [String: String] = [
    "chatglm-6b": "two halves of the head, for position and block",
    "glm-4-9b-chat": "the model's code rotates half of the head",
    "xgen-mm-phi3": "the language model's own config has the head",
  ]

  /// What `rope_related` lists and a declaration does not hold, by the last key.
  static let notOurs: [String: String] = [
    "sliding_window": "not about rotation",
    "alibi": "false where the file is not refused",
    "use_dynamic_ntk": "false: a switch of Qwen 1's code, off",
    "initial_context_length": "gpt-oss: its code's other name of the original length, stated in rope_scaling as well",
    "rope_scaling_factor": "gpt-oss in its authors' layout: the settings of YaRN without a kind",
    "rope_ntk_alpha": "as rope_scaling_factor", "rope_ntk_beta": "as rope_scaling_factor",
    "llama_4_scaling_beta": "a scale of the logits by position, not of the angles",
    "mrope_interleaved": "how positions are dealt to sections, not how fast they turn",
  ]
}
