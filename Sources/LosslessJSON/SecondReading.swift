import CJSONC

/// json-c's reading of a text that the scanner has accepted, compared with ours value by value.
///
/// Known differences: integers beyond 64 bits saturate in json-c. Of a key that occurs twice both keep the last value.
struct SecondReading {
  private let bytes: [UInt8]
  private var tokens: [String] = []
  private var disagreements: [JSONDisagreement] = []

  static func disagreements(with root: JSONNode, of bytes: [UInt8]) -> [JSONDisagreement] {
    // Its depth counts one more than the brackets.
    guard let tokener = json_tokener_new_ex(Int32(JSONScanner.maximumDepth + 1)) else {
      return [JSONDisagreement(pointer: "", ours: "a document", theirs: "not read: json-c has no memory")]
    }
    defer { json_tokener_free(tokener) }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8)
    // The terminating NUL tells the end of a number that is the whole document. The length fits: see `maximumSize`.
    let object = (bytes + [0]).withUnsafeBytes { text in
      json_tokener_parse_ex(tokener, text.assumingMemoryBound(to: CChar.self).baseAddress, Int32(text.count))
    }
    defer { json_object_put(object) }
    let outcome = json_tokener_get_error(tokener)
    guard outcome == json_tokener_success else {
      let reason = json_tokener_error_desc(outcome).map { String(cString: $0) } ?? "unknown error"
      return [JSONDisagreement(pointer: "", ours: "a document", theirs: "not read: \(reason)")]
    }
    var reading = SecondReading(bytes: bytes)
    reading.compare(root, object)
    return reading.disagreements
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  /// Walks both trees; as deep as the text, which the scanner limits.
  private mutating func compare(_ ours: JSONNode, _ theirs: OpaquePointer?) {
    let kind = json_object_get_type(theirs)
    switch ours.value {
    case .null: expect(kind == json_type_null, ours, theirs)
    case .bool(let value):
      expect(kind == json_type_boolean && (json_object_get_boolean(theirs) != 0) == value, ours, theirs)
    case .number(let number): expect(Self.agree(number, theirs), ours, theirs)
    case .string(let string):
      expect(kind == json_type_string && string.utf8.elementsEqual(Self.string(theirs).utf8), ours, theirs)
    case .array(let elements):
      guard kind == json_type_array, json_object_array_length(theirs) == elements.count else {
        return expect(false, ours, theirs)
      }
      for (index, element) in elements.enumerated() {
        compare(element, json_object_array_get_idx(theirs, index), at: String(index))
      }
    case .object(let members):
      guard kind == json_type_object else { return expect(false, ours, theirs) }
      compare(Self.withoutDuplicates(members), Self.members(theirs), of: ours, theirs)
    }
  }

  private mutating func compare(
    _ ours: [JSONMember], _ theirs: [(key: String, value: OpaquePointer?)], of node: JSONNode, _ object: OpaquePointer?
  ) {
    guard ours.count == theirs.count, zip(ours, theirs).allSatisfy({ $0.key.isExactly($1.key) }) else {
      return expect(false, node, object)
    }
    for (ours, theirs) in zip(ours, theirs) { compare(ours.node, theirs.value, at: ours.key) }
  }

  private mutating func compare(_ ours: JSONNode, _ theirs: OpaquePointer?, at token: String) {
    tokens.append(token)
    compare(ours, theirs)
    tokens.removeLast()
  }

  private mutating func expect(_ agreement: Bool, _ ours: JSONNode, _ theirs: OpaquePointer?) {
    guard !agreement, disagreements.count < JSONDocument.maximumRemarks else { return }
    let text = json_object_to_json_string_ext(theirs, JSON_C_TO_STRING_PLAIN).map { String(cString: $0) }
    disagreements.append(
      JSONDisagreement(
        pointer: JSONPointer.joining(tokens),
        ours: Self.excerpt(String(decoding: bytes[ours.range], as: UTF8.self)),
        theirs: Self.excerpt(text ?? "nothing")))
  }

  private static func agree(_ ours: JSONNumber, _ theirs: OpaquePointer?) -> Bool {
    if ours.isInteger {
      guard json_object_get_type(theirs) == json_type_int else { return false }
      return Int64(ours.text) == json_object_get_int64(theirs) || UInt64(ours.text) == json_object_get_uint64(theirs)
    }
    let value = json_object_get_double(theirs)
    return json_object_get_type(theirs) == json_type_double
      && (value.isNaN ? ours.double.isNaN : value.bitPattern == ours.double.bitPattern)
  }

  private static func string(_ object: OpaquePointer?) -> String {
    guard let start = json_object_get_string(object) else { return "" }
    // SAFETY: json-c's string is as long as it says and lives as long as the object.
    let bytes = UnsafeRawBufferPointer(start: start, count: Int(json_object_get_string_len(object)))
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func members(_ object: OpaquePointer?) -> [(key: String, value: OpaquePointer?)] {
    var members: [(key: String, value: OpaquePointer?)] = []
    var position = json_object_iter_begin(object)
    var end = json_object_iter_end(object)
    while json_object_iter_equal(&position, &end) == 0 {
      let key = json_object_iter_peek_name(&position).map { String(cString: $0) } ?? ""
      members.append((key, json_object_iter_peek_value(&position)))
      json_object_iter_next(&position)
    }
    return members
  }

  /// The members as json-c keeps them: each key at its first place with its last value.
  private static func withoutDuplicates(_ members: [JSONMember]) -> [JSONMember] {
    var places: [ExactKey: Int] = [:]
    var result: [JSONMember] = []
    for member in members {
      if let place = places.updateValue(result.count, forKey: ExactKey(member.key)) {
        places[ExactKey(member.key)] = place
        result[place].node = member.node
      } else {
        result.append(member)
      }
    }
    return result
  }

  private static func excerpt(_ text: String) -> String { text.count > 60 ? text.prefix(60) + "…" : text }
}
