import Bytes
import Diagnostics
import Safetensors
import TestSupport
import Testing

@Suite struct SafetensorsValuesTests {
  @Test(
    arguments: [
      ("F16", [0x00, 0x3c, 0x01, 0x00, 0x00, 0xfc], [1, 0x1p-24, -.infinity]),
      ("BF16", [0x80, 0x3f, 0x20, 0xc1], [1, -10]),
      ("F32", [0xcd, 0xcc, 0xcc, 0x3d], [Double(Float(0.1))]),
      ("F64", [0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xb9, 0x3f], [0.1]), ("F32", [], []),
    ] as [(String, [UInt8], [Double])])
  func `values are converted without loss`(_ dtype: String, _ bytes: [UInt8], _ values: [Double]) throws {
    let width = dtype == "F64" ? 8 : dtype == "F32" ? 4 : 2
    let builder = SafetensorsBuilder([
      ("pad", "U8", [3], [9, 9, 9]), ("inv_freq", dtype, [bytes.count / width], bytes),
    ])
    let source = MemorySource(builder.bytes)
    let file = try SafetensorsFile(source)
    #expect(try file.floatValues(of: #require(file.tensor(named: "inv_freq")), in: source) == values)
  }

  @Test func `other types and large tensors are refused`() throws {
    let size = Int(SafetensorsFile.maximumValueSize) + 4
    let builder = SafetensorsBuilder([
      ("i", "I32", [1], [0, 0, 0, 0]), ("f", "F32", [size / 4], [UInt8](repeating: 0, count: size)),
    ])
    let source = MemorySource(builder.bytes)
    let file = try SafetensorsFile(source)
    for tensor in file.tensors {
      let error = refusal { () throws(FileError) in try file.floatValues(of: tensor, in: source) }
      #expect(error?.code == .safetensorsValues)
      #expect(error?.location.key == tensor.name)
    }
  }
}
