import Attention
import Diagnostics
import FileStore
import Linting
import ModelConfig
import PatchPlanning
import RoPE
import Runtimes

/// Everything that a page about one model's positions shows.
public struct Guide: Sendable {
  /// One kind of layers.
  public struct Layer: Sendable {
    public var declaration: RoPEDeclaration
    /// The published equations for what the file declares.
    public var reading: RuntimeReading
  }

  public var inspection: Inspection
  public var verification: Verification
  public var findings: [Finding] = []
  /// What every runtime makes of the files, one for each kind of layer.
  public var readings: [RuntimeReading]
  /// Of the file that speaks for the model; the layers that a longer window concerns first.
  public var layers: [Layer]
  /// The length that the advice is for, in tokens.
  public var context: Int
  /// What to state for that length, or why nothing can be planned.
  public var advice: Result<Advice, FileError>
  /// The table of the advised settings, of the declared ones where nothing is to change.
  public var planned: RuntimeReading?
  /// The advised settings by distance and length.
  public var curves: AttentionCurves?
  public var series: MeasuredSeries?
  /// What a patch states in the model's config.json, for methods that it takes.
  package var templates: [PatchMethod: ConfigTemplate] = [:]
}

/// Gathers what a page about a model shows. Reads headers only.
///
/// - Parameters:
///   - context: The length to explain, in tokens; the stated window of a scaled model and four times that of another one
///     if `nil`.
///   - series: A file of ``MeasuredSeries``.
/// - Throws: When the files cannot be read or state no RoPE settings. What is wrong with the settings is on the page.
public func guide(_ path: String, context: Int? = nil, series: String? = nil) throws(FileError) -> Guide {
  try guide(path, context: context, series: series, keyElements: Guide.usualKeyElements)
}

/// - Parameter keyElements: Elements of keys that entropies are taken over.
package func guide(
  _ path: String, context: Int?, series: String?, keyElements: Int
) throws(FileError) -> Guide {
  let fileSystem = POSIXFileSystem()
  let measured = try series.map { path throws(FileError) in try MeasuredSeries(reading: path, in: fileSystem) }
  var loader = ModelLoader(fileSystem, keepsProblems: true)
  let model = try loader.load(path)
  guard let file = model.primary, let declaration = file.declaration else {
    throw FileError(
      .notAModel, at: SourceLocation(path: path), found: "no file states RoPE settings",
      expected: "a config.json or a GGUF", remedy: "point at the model's folder or at one of those files")
  }
  let forecast = Forecast(model, in: fileSystem)
  let readings = forecast.readings(of: forecast.runtimes(.all), RuntimeOptions())
  let layers = file.declarations.map { Guide.Layer(declaration: $0, reading: Formula.read($0)) }
  let context = context ?? Guide.usualContext(of: declaration, layers[0].reading)
  var guide = Guide(
    inspection: Inspection(model), verification: Verifier(model, attention: .quick).verification, readings: readings,
    layers: layers, context: context, advice: Result { () throws(FileError) in try advise(path, context: context) })
  guide.series = measured
  _ = try lint([path]) { guide.findings += $0.findings }
  guide.plan(place: file.path, keyElements: keyElements)
  guide.layOut(forecast)
  return guide
}

extension Guide {
  /// Where neither a window nor a length is stated there is nothing to multiply.
  private static let usualWindow = 4096
  private static let exampleFactor = 4

  fileprivate static func usualContext(of declaration: RoPEDeclaration, _ reading: RuntimeReading) -> Int {
    let window = max(reading.contextLength ?? declaration.contextLength?.value ?? usualWindow, 1)
    let isScaled = declaration.scalingKind != nil || declaration.staticNTKFactor != nil
    return isScaled
      ? window : min(window.multipliedReportingOverflow(by: exampleFactor).partialValue, RoPESettings.largestWindow)
  }

  /// The table to explain, with its curves.
  fileprivate mutating func plan(place: String, keyElements: Int) {
    let declaration = layers[0].declaration
    var reading = layers[0].reading
    if let settings = try? advice.get().settings {
      reading = settings.reading(over: declaration)
      reading.originalContext = Double(settings.originalContext)
    }
    planned = reading.table == nil ? nil : reading
    let window = max(reading.contextLength ?? context, 1)
    curves = AttentionCurves(
      reading, declaration, window: window, place: place,
      longestSequence: keyElements / max(declaration.headDimension?.value ?? 1, 1))
  }

  /// A page is made in a fifth of a second.
  fileprivate static let usualKeyElements = 1 << 23

  /// How a patch is written into the config.json, in the spelling that all runtimes read where there is one.
  fileprivate mutating func layOut(_ forecast: Forecast) {
    guard let file = inspection.model.files.first(where: { $0.config != nil }), let subject = file.subject,
      case .config(let config, let surroundings) = forecast.input(file)
    else { return }
    let runtimes = Runtime.engines.filter { forecast.file(for: $0)?.path == file.path }
    let planned = try? advice.get().settings
    func spelling(_ method: PatchMethod) -> ConfigSpelling {
      var request = PatchRequest(method, reach: method == .none ? nil : .factor(planned?.factor ?? 1))
      request.originalContext = planned?.originalContext
      let settings = try? RoPESettings(request, for: [subject])
      let plan = settings.flatMap {
        try? PortablePlan(config, surroundings, subject.declaration, $0, for: runtimes, areNamed: false)
      }
      return plan?.spelling ?? ConfigSpelling()
    }
    // Where a scaling entry stands is the same for all methods that write one.
    let entry = spelling(.yarn)
    for method in PatchMethod.allCases {
      let hasEntry = method != .none && method != .ntk
      templates[method] = ConfigTemplate(config, subject, method, hasEntry ? entry : spelling(method))
    }
  }
}

/// Writes a page to a file.
///
/// - Parameter path: A new file, or an older page, which is replaced.
/// - Throws: `alreadyExists` for a file that is no page, and the codes of writing.
public func write(page: String, to path: String) throws(FileError) {
  let fileSystem = POSIXFileSystem()
  let exists = (try? fileSystem.kind(at: path)) != nil
  if exists {
    let old = try FileSource(path, in: fileSystem)
    let start = Array("<!DOCTYPE html>".utf8)
    guard try old.bytes(in: 0..<min(old.size, UInt64(start.count))) == start else {
      throw FileError(
        .alreadyExists, at: SourceLocation(path: path), found: "a file that is no page",
        expected: "a new name or an older page", remedy: "give --output another name")
    }
  }
  try fileSystem.put(Array(page.utf8), at: path, replacing: exists)
}
