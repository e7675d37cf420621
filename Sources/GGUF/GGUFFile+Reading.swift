import Bytes
import Diagnostics

extension GGUFFile {
  /// Smallest metadata entry: a key of one byte and a value of one.
  private static let minimumEntry: UInt64 = 8 + 1 + 4 + 1
  /// Smallest tensor info: a name of one byte and no dimensions.
  private static let minimumInfo: UInt64 = 8 + 1 + 4 + 4 + 8

  /// Reads a file's header, of any size, through a window; the tensors' data is not touched.
  ///
  /// - Throws: `truncated` when the header or a tensor's data is cut short, otherwise one of this module's codes, with
  ///   the offset and the key or tensor name.
  package init(_ source: any ByteSource) throws(FileError) {
    try GGUFRecognition.check(source)
    var header = try HeaderReader(source, at: UInt64(GGUFRecognition.magic.count))
    version = try header.version()
    let tensorCount = try header.count(of: "tensor infos", minimum: Self.minimumInfo)
    let metadataCount = try header.count(of: "metadata entries", minimum: Self.minimumEntry)
    path = source.path
    fileSize = source.size
    byteOrder = header.bytes.byteOrder
    metadata = try Self.metadata(metadataCount, &header)
    alignment = try Self.alignment(metadata, path)
    tensors = try Self.tensors(tensorCount, &header)
    headerEnd = header.offset
    // The header ends inside the file, so only a file of almost 2⁶⁴ bytes has no aligned offset after it.
    dataOffset = aligned(headerEnd, to: alignment) ?? .max
    try checkSplit()
    try checkLayout()
  }

  private static func metadata(_ count: UInt64, _ header: inout HeaderReader) throws(FileError) -> GGUFMetadata {
    var metadata = GGUFMetadata()
    // At most a few megabytes, see `GGUFLimit.entries`; an array that grew would need two places at once.
    metadata.entries.reserveCapacity(Int(count))
    for _ in 0..<count { try header.keyValue(into: &metadata) }
    if let (earlier, later) = metadata.repetition {
      throw repeated(
        .ggufDuplicateKey, metadata[later].key, at: metadata[later].entry.lowerBound,
        metadata[earlier].entry.lowerBound,
        header.bytes.source.path)
    }
    return metadata
  }

  private static func tensors(_ count: UInt64, _ header: inout HeaderReader) throws(FileError) -> GGUFTensors {
    var tensors = GGUFTensors(at: header.offset)
    tensors.infos.reserveCapacity(Int(count))
    for _ in 0..<count { try header.tensorInfo(into: &tensors) }
    if let (earlier, later) = tensors.repetition {
      throw repeated(
        .ggufDuplicateTensor, tensors[later].name, at: tensors[later].infoRange.lowerBound,
        tensors[earlier].infoRange.lowerBound, header.bytes.source.path)
    }
    return tensors
  }

  private static func repeated(
    _ code: FileError.Code, _ name: String, at offset: UInt64, _ earlier: UInt64, _ path: String
  ) -> FileError {
    FileError(
      code, at: SourceLocation(path: path, byteOffset: offset, key: name),
      found: "the same name as at byte 0x\(String(earlier, radix: 16))", expected: "each name once",
      remedy: GGUFRemedy.convert)
  }

  /// The alignment that the metadata states; 32 is the format's default.
  private static func alignment(_ metadata: GGUFMetadata, _ path: String) throws(FileError) -> UInt64 {
    guard let entry = metadata.firstIndex(ofKey: alignmentKey).map({ metadata[$0] }) else { return 32 }
    if case .uint32(let value) = entry.value, value.nonzeroBitCount == 1, value <= GGUFLimit.alignment {
      return UInt64(value)
    }
    let value = entry.value.integerValue.map { " \($0)" } ?? ""
    throw FileError(
      .ggufAlignment, at: SourceLocation(path: path, byteOffset: entry.valueRange.lowerBound, key: entry.key),
      found: "the alignment is \(entry.value.type.name)\(value)",
      expected: "UINT32, a power of two, at most \(GGUFLimit.alignment)", remedy: GGUFRemedy.convert)
  }

  /// Checks what the file says of its set, so that numbers of files can be reckoned with. A set that was merged again
  /// counts 0 files.
  private func checkSplit() throws(FileError) {
    guard let split else { return }
    for (key, number, limit) in [
      (Self.splitCountKey, split.count, GGUFLimit.shards), (Self.splitNumberKey, split.no, max(split.count, 1) - 1),
    ] where !(0...limit ~= number) {
      throw FileError(
        .splitMismatch, at: SourceLocation(path: path, byteOffset: entry(key)?.valueRange.lowerBound, key: key),
        found: "the value is \(number)", expected: "0 to \(limit)", remedy: GGUFRemedy.download)
    }
  }

  /// Checks that each tensor's data is aligned, inside the file and its own.
  ///
  /// A tensor of unknown size counts as one byte. ggml also wants tensors to follow each other without a gap; a gap does
  /// no harm to an edit of the header, so it is accepted.
  private func checkLayout() throws(FileError) {
    var end: UInt64 = 0
    var last = ""
    for index in tensors.indicesByOffset {
      let tensor = tensors[Int(index)]
      guard tensor.offset.isMultiple(of: alignment) else {
        throw misplaced(
          tensor, .ggufTensorOffset, found: "the data offset is \(tensor.offset)",
          expected: "a multiple of \(alignment)")
      }
      guard tensor.offset >= end else {
        throw misplaced(
          tensor, .ggufTensorOverlap, found: "the data begins at \(tensor.offset), inside that of \"\(last)\"",
          expected: "an offset of at least \(end)")
      }
      let (tensorEnd, overflow) = tensor.offset.addingReportingOverflow(tensor.byteCount ?? 1)
      let (fileEnd, fileOverflow) = dataOffset.addingReportingOverflow(tensorEnd)
      guard !overflow, !fileOverflow, fileEnd <= fileSize else {
        throw misplaced(
          tensor, .truncated, found: "the file ends after \(fileSize) bytes",
          expected: "\(tensor.byteCount ?? 1) bytes of data at offset \(tensor.offset) of the data section, "
            + "which begins at byte 0x\(String(dataOffset, radix: 16))")
      }
      end = tensorEnd
      last = tensor.name
    }
  }

  private func misplaced(
    _ tensor: GGUFTensorInfo, _ code: FileError.Code, found: String, expected: String
  ) -> FileError {
    // The offset is the last field of an info.
    FileError(
      code, at: SourceLocation(path: path, byteOffset: tensor.infoRange.upperBound - 8, key: tensor.name),
      found: found, expected: expected, remedy: GGUFRemedy.download)
  }
}
