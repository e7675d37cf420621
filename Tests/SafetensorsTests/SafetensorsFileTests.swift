import Bytes
import Diagnostics
import Safetensors
import TestSupport
import Testing

@Suite struct SafetensorsFileTests {
  /// Two tensors, four and six bytes.
  static let good = SafetensorsBuilder(
    [("a", "F16", [2], [1, 2, 3, 4]), ("é", "U8", [2, 3], [5, 6, 7, 8, 9, 10])],
    metadata: #"{"format":"pt","x":"\u00e9"}"#)

  static func read(_ bytes: [UInt8]) throws(FileError) -> SafetensorsFile {
    try SafetensorsFile(MemorySource(bytes, path: "model.safetensors"))
  }

  @Test func `a header is read completely`() throws {
    var builder = Self.good
    builder.header += "   "
    let file = try Self.read(builder.bytes)
    #expect(file.path == "model.safetensors")
    #expect(file.fileSize == UInt64(builder.bytes.count))
    #expect(file.headerLength == UInt64(builder.header.utf8.count))
    #expect(file.headerPadding == 3)
    #expect(file.dataOffset == file.headerLength + 8)
    #expect(file.metadata?.map { [$0.key, $0.value] } == [["format", "pt"], ["x", "é"]])
    #expect(file.tensors.map(\.name) == ["a", "é"])
    let tensor = try #require(file.tensor(named: "é"))
    #expect(tensor.dtype == "U8")
    #expect(tensor.shape == [2, 3])
    #expect(tensor.begin == 4 && tensor.end == 10)
    #expect(file.tensor(named: "e\u{301}") == nil)
  }

  @Test(arguments: [
    "F4", "F6_E2M3", "F6_E3M2", "BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ",
    "I16",
    "U16", "F16", "BF16", "I32", "U32", "F32", "C64", "F64", "I64", "U64",
  ])
  func `every element type of the format is known`(_ dtype: String) throws {
    let bits =
      dtype == "BOOL" ? 8 : dtype == "C64" ? 64 : Int(dtype.dropFirst().prefix { $0.isNumber }) ?? 16
    let file = try Self.read(SafetensorsBuilder([("a", dtype, [8], [UInt8](repeating: 0, count: bits))]).bytes)
    #expect(file.tensors.first?.end == UInt64(bits))
  }

  @Test(arguments: [
    "{}", #"{"__metadata__":{}}"#, #"{"a":{"dtype":"F32","shape":[0,9999999999999999],"data_offsets":[0,0]}}"#,
    #"{ "a" : {"data_offsets":[0,0],"extra":[{"x":null}],"shape":[0],"dtype":"F64"} } "#,
    #"{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"b":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#,
  ])
  func `unusual but valid headers pass`(_ header: String) throws {
    #expect(try Self.read(SafetensorsBuilder(header: header).bytes).dataOffset == UInt64(header.utf8.count) + 8)
  }

  @Test func `tensors may stand in any order in the header`() throws {
    let header =
      #"{"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}"#
    #expect(
      try Self.read(SafetensorsBuilder(header: header, data: [1, 2, 3]).bytes).tensors.map(\.name) == ["b", "a"])
  }

  @Test(arguments: 1...40) func `names are told apart among many`(count: Int) throws {
    let names = (0..<count * 7).map { "layer.\($0 % 2 == 0 ? "" : #"\u0065"#).\($0)" }
    func header(_ names: [String]) -> SafetensorsBuilder {
      SafetensorsBuilder(
        header: "{" + names.map { #""\#($0)":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}"# }.joined(separator: ",")
          + "}")
    }
    #expect(try Self.read(header(names).bytes).tensors.map(\.name).last?.hasSuffix(".\(names.count - 1)") == true)
    let error = refusal { () throws(FileError) in try Self.read(header(names + [names[count]]).bytes) }
    #expect(error?.code == .safetensorsDuplicateName)
  }

  @Test func `empty tensors share their place with the one behind them, in any order`() throws {
    let header =
      #"{"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},"c":{"dtype":"U8","shape":[0],"data_offsets":[1,1]},"#
      + #""a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#
    let file = try Self.read(SafetensorsBuilder(header: header, data: [1, 2, 3]).bytes)
    #expect(file.elementCount == 3)
    #expect(file.tensors.named(endingIn: ["c", "a"]).map(\.name) == ["c", "a"])
  }

  @Test func `names are found by what they end in`() throws {
    let names = ["", "t", "weight", "a.weight", "b.weight", "a.a.weight", "a.b.weight", "a.weight.b", "é.weight"]
    let header = names.map { #""\#($0)":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}"# }.joined(separator: ",")
    for escaped in [header, header.replacing("é", with: #"\u00e9"#)] {
      let file = try Self.read(SafetensorsBuilder(header: "{\(escaped)}").bytes)
      for endings in [[""], ["t"], ["weight"], ["a.weight"], [".a.weight", "t"], ["a.a.a.weight"], ["é.weight", "b"]] {
        #expect(
          file.tensors.named(endingIn: endings).map(\.name) == names.filter { endings.contains(where: $0.hasSuffix) })
      }
    }
  }

  @Test(arguments: [
    "[]", "[0]", "[1,1]", "[01]", "[1", "[1,]", "[,1]", "[1]]", "[1.0]", "[1e0]", "[-1]", "[\"1\"]", "[[1]]", "[9,9]",
    "[0,9999999999999999999]", "[0,10000000000000000000]", "[0,18446744073709551616]", "[0,00000000000000000000]",
    "[4294967296,4294967296]", "[4294967296,4294967296,0]",
  ])
  func `an entry says the same with white space, which writers leave out, as without`(_ shape: String) {
    func outcome(_ space: String) -> Result<[SafetensorsTensor], FileError> {
      Result { () throws(FileError) in
        let header = #"{"a":{\#(space)"dtype":"U8","shape":\#(shape),"data_offsets":[0,1]}}"#
        return Array(try Self.read(SafetensorsBuilder(header: header, data: [1]).bytes).tensors)
      }
    }
    switch (outcome(""), outcome(" ")) {
    case (.success(let plain), .success(let spaced)): #expect(plain == spaced)
    case (.failure(let plain), .failure(let spaced)):
      #expect(plain.code == spaced.code)
      #expect(plain.found == spaced.found)
    case (let plain, let spaced): Issue.record("\(plain) is not \(spaced)")
    }
  }

  /// What is replaced in the good header, the code, and the tensor and text at which the error points.
  @Test(arguments: [
    (#""dtype":"F16","#, "", "safetensors-entry", "a"), (#""shape":[2],"#, "", "safetensors-entry", "a"),
    (#","data_offsets":[0,4]"#, "", "safetensors-entry", "a"), (#""F16""#, "16", "safetensors-entry", "a"),
    (#""F16""#, #""F17""#, "safetensors-dtype", "a"), (#""F16""#, #""f16""#, "safetensors-dtype", "a"),
    (#""F16""#, #""F16","dtype":"F16""#, "safetensors-entry", "a"),
    ("[2]", "[2],\"shape\":[2]", "safetensors-entry", "a"),
    ("[2]", "2", "safetensors-entry", "a"), ("[2]", "[2.0]", "safetensors-entry", "a"),
    ("[2]", "[-2]", "safetensors-entry", "a"),
    ("[2]", "[[2]]", "safetensors-entry", "a"), ("[2]", "[\"2\"]", "safetensors-entry", "a"),
    ("[2]", "[18446744073709551616]", "safetensors-entry", "a"), ("[2]", "[3]", "safetensors-tensor-size", "a"),
    ("[2]", "[]", "safetensors-tensor-size", "a"), ("[2]", "[4611686018427387904,8]", "safetensors-tensor-size", "a"),
    ("[2]", "[9223372036854775809,2]", "safetensors-tensor-size", "a"), ("[0,4]", "[0,4,4]", "safetensors-entry", "a"),
    ("[0,4]", "[4]", "safetensors-entry", "a"), ("[0,4]", "null", "safetensors-entry", "a"),
    ("[0,4]", "[4,0]", "safetensors-offsets", "a"),
    ("[0,4]", "[2,6]", "safetensors-offsets", "a"), ("[4,10]", "[3,9]", "safetensors-offsets", "é"),
    ("[4,10]", "[0,6]", "safetensors-offsets", "é"), ("[4,10]", "[5,11]", "safetensors-offsets", "é"),
    ("[4,10]", "[9223372036854775802,9223372036854775808]", "safetensors-offsets", "é"),
    ("[4,10]", "[18446744073709551609,18446744073709551615]", "safetensors-offsets", "é"),
    (#""é""#, #""a""#, "safetensors-duplicate-name", "a"), (#""é""#, #""\u0061""#, "safetensors-duplicate-name", "a"),
    (#""é""#, #""__metadata__""#, "safetensors-duplicate-name", "__metadata__"),
    (#"{"dtype":"F16","shape":[2],"data_offsets":[0,4]}"#, "[]", "safetensors-entry", "a"),
    (#"{"format":"pt","x":"\u00e9"}"#, "null", "safetensors-metadata", "__metadata__"),
    (#""pt""#, "1", "safetensors-metadata", "__metadata__"),
    (#""x""#, #""format""#, "safetensors-metadata", "__metadata__"),
  ])
  func `one wrong field is refused with the tensor's name`(
    _ field: String, _ wrong: String, _ code: String, _ key: String
  ) {
    var builder = Self.good
    #expect(builder.header.contains(field))
    builder.header = builder.header.replacing(field, with: wrong, maxReplacements: 1)
    let error = refusal { () throws(FileError) in try Self.read(builder.bytes) }
    #expect(error?.code.rawValue == code)
    #expect(error?.location.key == key)
    #expect(error?.location.byteOffset.map { builder.bytes[Int($0)] } == UInt8(ascii: "\""))
  }

  @Test(
    arguments: [
      (" {}", "json-syntax", 8), ("[]", "json-syntax", 8), ("\"\"", "json-syntax", 8),
      ("{}x", "json-trailing-text", 10),
      ("{}\0", "json-trailing-text", 10), ("{\"a\" 1}", "json-syntax", 13),
      ("{\"a\":{\"x\":NaN}}", "safetensors-entry", 9),
      (#"{"a":{"x":NaN,"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#, "json-syntax", 18),
      ("", "json-unexpected-end", 8),
    ] as [(String, String, UInt64)])
  func `headers that are no strict JSON object are refused at the byte`(
    _ header: String, _ code: String, _ offset: UInt64
  ) {
    let error = refusal { () throws(FileError) in try Self.read(SafetensorsBuilder(header: header).bytes) }
    #expect(error?.code.rawValue == code)
    #expect(error?.location.byteOffset == offset)
  }

  @Test(
    arguments: [
      (100_000_001, "safetensors-header-length"), (100 << 30, "safetensors-header-length"),
      (1 << 63, "safetensors-header-length"),
      (UInt64.max, "safetensors-header-length"), (UInt64.max - 8, "safetensors-header-length"),
      (100_000_000, "truncated"),
      (0, "json-unexpected-end"),
    ] as [(UInt64, String)])
  func `a false header length is refused before anything is allocated`(_ length: UInt64, _ code: String) {
    var builder = Self.good
    builder.headerLength = length
    let error = refusal { () throws(FileError) in try Self.read(builder.bytes) }
    #expect(error?.code.rawValue == code)
  }

  @Test func `data that is missing or left over is refused`() {
    var builder = Self.good
    builder.data.append(0)
    let longer = refusal { () throws(FileError) in try Self.read(builder.bytes) }
    #expect(longer?.code == .safetensorsNotCovered)
    #expect(longer?.found.contains("incomplete metadata, file not fully covered") == true)
    builder.data.removeLast(2)
    let shorter = refusal { () throws(FileError) in try Self.read(builder.bytes) }
    #expect(shorter?.code == .truncated)
    #expect(shorter?.location.key == "é")
  }

  @Test(arguments: [
    ("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git-lfs-pointer"),
    ("<!DOCTYPE html>\n<html>", "html"),
    ("  <html lang=\"en\">", "html"), ("", "truncated"), ("{}", "truncated"),
  ])
  func `files of another kind are named`(_ text: String, _ code: String) {
    #expect(refusal { () throws(FileError) in try Self.read(Array(text.utf8)) }?.code.rawValue == code)
  }

  @Test func `every prefix fails cleanly`() {
    let bytes = Self.good.bytes
    for count in bytes.indices {
      #expect(refusal { () throws(FileError) in try Self.read(Array(bytes[..<count])) } != nil, "prefix of \(count)")
    }
  }

  @Test func `random mutations never trap`() {
    let bytes = Self.good.bytes
    var accepted = 0
    for seed in 0..<6000 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      let mutation = random.mutation(of: bytes, inserting: Array(#"{}[]":,\u019e.- "#.utf8) + [0x00, 0xff])
      guard let file = try? Self.read(mutation) else { continue }
      accepted += 1
      #expect(file.tensors.reduce(0) { $0 + $1.end - $1.begin } == file.fileSize - file.dataOffset, "seed \(seed)")
    }
    #expect(0 < accepted && accepted < 3000)
  }
}
