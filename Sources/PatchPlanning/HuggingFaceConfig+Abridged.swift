import Diagnostics
import LosslessJSON
import ModelConfig

extension HuggingFaceConfig {
  /// Text from which on a member is too long to be about RoPE: LongRoPE's lists have some kilobytes.
  private static let longest = 0x10000

  /// The same settings without members of a size that no runtime reads RoPE from, such as lists of labels, so that many
  /// spellings can be tried on it.
  func abridged() throws(FileError) -> HuggingFaceConfig {
    guard document.bytes.count > Self.longest else { return self }
    var editor = try JSONEditor(document)
    for pointer in longMembers(of: "") { try editor.remove(pointer) }
    guard let bytes = try editor.edits().apply(to: document.bytes) else { return self }
    return try HuggingFaceConfig(JSONDocument(bytes, path: document.path), section: section)
  }

  private func longMembers(of pointer: String) -> [String] {
    (document[pointer]?.value.members ?? []).flatMap { member -> [String] in
      let inner = JSONPointer.child(member.key, of: pointer)
      guard member.node.range.count > Self.longest else { return [] }
      return "\(section)/".hasPrefix("\(inner)/") ? longMembers(of: inner) : [inner]
    }
  }
}
