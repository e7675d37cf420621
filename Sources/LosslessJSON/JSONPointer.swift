/// JSON pointers (RFC 6901): `/rope_scaling/factor`, with `~1` for a slash and `~0` for a tilde in a key.
package enum JSONPointer {
  /// The keys and indices of a pointer, or `nil` when it is malformed.
  ///
  /// Works on bytes: a combining mark at the start of a key would hide the slash from a search by characters.
  package static func tokens(of pointer: String) -> [String]? {
    guard !pointer.isEmpty else { return [] }
    guard pointer.utf8.first == UInt8(ascii: "/") else { return nil }
    var tokens: [String] = []
    for part in pointer.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
      var token: [UInt8] = []
      var bytes = part.makeIterator()
      while let byte = bytes.next() {
        guard byte == UInt8(ascii: "~") else {
          token.append(byte)
          continue
        }
        switch bytes.next() {
        case UInt8(ascii: "0"): token.append(UInt8(ascii: "~"))
        case UInt8(ascii: "1"): token.append(UInt8(ascii: "/"))
        default: return nil
        }
      }
      tokens.append(String(decoding: token, as: UTF8.self))
    }
    return tokens
  }

  /// The pointer made of keys and indices.
  package static func joining(_ tokens: some Sequence<String>) -> String {
    var bytes: [UInt8] = []
    for token in tokens {
      bytes.append(UInt8(ascii: "/"))
      for byte in token.utf8 {
        switch byte {
        case UInt8(ascii: "~"): bytes += "~0".utf8
        case UInt8(ascii: "/"): bytes += "~1".utf8
        default: bytes.append(byte)
        }
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The pointer to a member or element of what `parent` points to.
  package static func child(_ token: String, of parent: String) -> String { parent + joining([token]) }

  /// An array index: digits without leading zeros.
  static func index(_ token: String) -> Int? {
    guard token.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else { return nil }
    guard token == "0" || token.utf8.first != UInt8(ascii: "0") else { return nil }
    return Int(token)
  }
}
