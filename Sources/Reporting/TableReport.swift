import LosslessJSON
import RoPE
import Runtimes

/// `table`: what runtimes compute.
public enum TableReport {
  public static func json(_ readings: [RuntimeReading], model: String) -> String {
    JSONText.object([
      ("schema", .string("yarn-patch.table/1")), ("model", .string(model)),
      ("tables", .array(readings.map(table))),
    ]).pretty() + "\n"
  }

  private static func table(_ reading: RuntimeReading) -> JSONText {
    .object([
      ("runtime", .string(reading.runtime)), ("version", .optional(reading.version)),
      ("layerType", .optional(reading.layerType)), ("kind", .string(reading.kind)),
      ("rotaryDimension", .optional(reading.rotaryDimension)),
      ("base", .optional(reading.base)), ("factor", .optional(reading.factor)),
      ("originalContext", .optional(reading.originalContext)),
      (
        "inverseFrequencies",
        reading.table.map { .array($0.inverseFrequencies.map(JSONText.number)) } ?? .null
      ),
      ("attentionFactor", .optional(reading.table?.attentionFactor)),
      ("softmaxScaleMultiplier", .optional(reading.table?.softmaxScaleMultiplier)),
      ("contextLength", .optional(reading.contextLength)),
      ("refused", reading.refused.map { .object([("reason", .string($0.reason))]) } ?? .null),
      (
        "notes",
        .array(
          reading.notes.map {
            .object([("code", .string($0.code)), ("key", .optional($0.key)), ("message", .string($0.message))])
          })
      ),
      ("startOptions", .array(reading.startOptions.map(startOption))),
    ])
  }

  static func startOption(_ option: StartOption) -> JSONText {
    .object([
      ("runtime", .string(option.runtime)), ("version", .optional(option.version)),
      ("arguments", .array(option.arguments.map(JSONText.string))), ("remark", .optional(option.remark)),
    ])
  }

  /// One line per pair with full precision.
  public static func csv(_ readings: [RuntimeReading]) -> String {
    var result = "runtime,version,layer_type,pair,inverse_frequency\n"
    for reading in readings {
      for (pair, frequency) in (reading.table?.inverseFrequencies ?? []).enumerated() {
        let fields = [reading.runtime, reading.version ?? "", quoted(reading.layerType ?? ""), "\(pair)"]
        result += fields.joined(separator: ",") + ",\(JSONText.number(frequency).compact)\n"
      }
    }
    return result
  }

  /// A field of comma-separated values (RFC 4180), on one line and with nothing hidden.
  private static func quoted(_ text: String) -> String {
    let field = printable(text)
    // Scalars, not characters: a comma separates even when a combining mark follows it.
    guard field.unicodeScalars.contains(where: { ",\"".unicodeScalars.contains($0) }) else { return field }
    let parts = field.unicodeScalars.split(separator: "\"", omittingEmptySubsequences: false).map(String.init)
    return "\"" + parts.joined(separator: "\"\"") + "\""
  }

  public static func text(_ readings: [RuntimeReading]) -> String {
    readings.map(text).joined(separator: "\n") + startOptions(readings)
  }

  /// How to start on the unscaled files, once for each runtime.
  private static func startOptions(_ readings: [RuntimeReading]) -> String {
    var options: [StartOption] = []
    for option in readings.flatMap(\.startOptions) where !options.contains(option) { options.append(option) }
    guard !options.isEmpty else { return "" }
    // No columns: these lines are copied, and the texts are as long as a terminal is wide.
    let lines = options.flatMap { option in
      let name = [option.runtime, option.version].compactMap(\.self).joined(separator: " ")
      let remark = option.remark.map { "    \(option.arguments.isEmpty ? "not possible: " : "")\($0)" }
      return ["  \(name)", option.arguments.isEmpty ? nil : "    \(option.commandLine)", remark].compactMap(\.self)
    }
    return "\nto start a runtime on the unscaled files with the same table\n"
      + lines.map { printable($0) + "\n" }.joined()
  }

  private static func text(_ reading: RuntimeReading) -> String {
    let notes = reading.notes.map { note in
      "  " + printable("\(note.code)\(note.key.map { " \($0)" } ?? ""): \(note.message)") + "\n"
    }.joined()
    let name = [reading.runtime, reading.version].compactMap(\.self).joined(separator: " ")
    let subject = reading.layerType.map { "\(name), \($0)" } ?? name
    guard let table = reading.table else {
      // Without a refusal the notes say why there is none.
      return printable("\(subject): no table\(reading.refused.map { ", \($0.reason)" } ?? "")") + "\n\(notes)"
    }
    return title(reading, table, subject) + notes + rows(reading, table)
  }

  private static func title(_ reading: RuntimeReading, _ table: FrequencyTable, _ subject: String) -> String {
    var title = "\(subject): \(reading.kind)"
    if reading.kind != "default", let factor = reading.factor { title += " ×\(significant(factor))" }
    if let base = reading.base { title += ", base \(significant(base, 12))" }
    if let rotary = reading.rotaryDimension { title += ", \(rotary) rotating elements" }
    if let window = reading.contextLength { title += ", window \(window) tokens" }
    title = printable(title) + "\nattention factor \(significant(table.attentionFactor, 10))"
    if table.softmaxScaleMultiplier != 1 {
      title += ", softmax scale × \(significant(table.softmaxScaleMultiplier, 10))"
    }
    return title + "\n"
  }

  private static func rows(_ reading: RuntimeReading, _ table: FrequencyTable) -> String {
    let original = reading.unscaledTable.inverseFrequencies
    var rows = [["pair", "rad/token", "tokens/turn", "divisor", "turns in window"]]
    for (pair, frequency) in table.inverseFrequencies.enumerated() {
      let turns = reading.contextLength.map { significant(Double($0) * frequency / (2 * .pi), 5) }
      rows.append([
        "\(pair)", significant(frequency, 8), frequency == 0 ? "-" : significant(2 * .pi / frequency, 6),
        pair < original.count && frequency != 0 ? significant(original[pair] / frequency, 6) : "-", turns ?? "-",
      ])
    }
    return columns(rows)
  }
}
