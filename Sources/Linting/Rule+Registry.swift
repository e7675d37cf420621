extension Rule {
  /// Every rule, by id.
  public static let all: [Rule] =
    structure + lengths + frequencies + magnitude + suitability + gguf + safetensors + betweenFiles
}
