import Attention
import TestSupport
import Testing

@testable import Weights

@Suite struct MatrixProductTests {
  @Test(arguments: 1...20, 1...6)
  func `each product is the dot product, to the last bit`(width: Int, inputCount: Int) {
    var random = SeededGenerator(seed: UInt64(100 * width + inputCount))
    func vectors(_ count: Int) -> [Float] { (0..<count * width).map { _ in .random(in: -1...1, using: &random) } }
    let (rows, inputs) = (vectors(3), vectors(inputCount))
    var result = [Float](repeating: .nan, count: inputCount * 5)
    multiply(rows, with: inputs, width: width, into: &result, rowStride: 5, at: 1)
    for i in 0..<inputCount {
      for row in 0..<3 {
        let wanted = dotProduct(
          Array(inputs[i * width..<(i + 1) * width]), Array(rows[row * width..<(row + 1) * width]))
        #expect(result[i * 5 + 1 + row] == wanted)
      }
      #expect(result[i * 5].isNaN && result[i * 5 + 4].isNaN, "only its own columns")
    }
  }
}
