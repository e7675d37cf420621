// swift-tools-version: 6.2
import PackageDescription

// The arrows of the module graph, top to bottom. `make lint` builds with
// `--explicit-target-dependency-import-check error`, so an import that is not listed here does not build.
//
//   yarn-patch → HTMLReport → Reporting ─┐     (both → Drawing, which knows nothing of models)
//        └─────→ YarnPatch ──────────────┴→ PatchPlanning, Linting → Agreement → Runtimes → ModelConfig → GGUF, Safetensors, LosslessJSON → Bytes
//                    ├──────→ Weights → Attention, ModelConfig
//                    ├──────→ Attention → RoPE, CAttention
//                    └──────→ FileStore → Bytes → Diagnostics

/// `YARN_PATCH_STRICT=1` turns every warning into an error; `.ci/run` sets it.
let strict: [SwiftSetting] =
  Context.environment["YARN_PATCH_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)]
let strictC: [CSetting] =
  Context.environment["YARN_PATCH_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)]

func module(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
  .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func tests(of name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.init(stringLiteral: name), "TestSupport"] + dependencies,
    swiftSettings: strict)
}

let package = Package(
  name: "yarn-patch",
  products: [
    .executable(name: "yarn-patch", targets: ["yarn-patch"]),
    .library(
      name: "YarnPatch",
      targets: [
        "YarnPatch", "PatchPlanning", "ModelConfig", "Runtimes", "RoPE", "GGUF", "Safetensors", "Diagnostics",
      ]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    .systemLibrary(name: "CJSONC", pkgConfig: "json-c", providers: [.apt(["libjson-c-dev"])]),
    .target(name: "CSystem", cSettings: strictC),
    .target(name: "CAttention", cSettings: strictC),

    module("Diagnostics"),
    module("Bytes", ["Diagnostics"]),
    module("LosslessJSON", ["CJSONC", "Bytes", "Diagnostics"]),
    module("GGUF", ["Bytes", "Diagnostics"]),
    module("Safetensors", ["LosslessJSON", "Bytes", "Diagnostics"]),
    module("RoPE"),
    module("Attention", ["CAttention", "RoPE"]),
    module(
      "ModelConfig", ["RoPE", "GGUF", "Safetensors", "LosslessJSON", "Bytes", "Diagnostics"],
      // Embedded in the code: the command stays one file, and no Foundation is needed to find a bundle.
      resources: [.embedInCode("known-models.json")]),
    module(
      "Weights", ["Attention", "ModelConfig", "GGUF", "Safetensors", "LosslessJSON", "Bytes", "Diagnostics"]),
    module("Runtimes", ["ModelConfig", "GGUF", "LosslessJSON", "RoPE"]),
    module("Agreement", ["Runtimes", "ModelConfig", "GGUF", "LosslessJSON", "RoPE"]),
    module(
      "PatchPlanning",
      ["Agreement", "Runtimes", "ModelConfig", "RoPE", "GGUF", "LosslessJSON", "Bytes", "Diagnostics"]),
    module(
      "Linting",
      [
        "Agreement", "Runtimes", "ModelConfig", "RoPE", "GGUF", "Safetensors", "LosslessJSON", "Bytes", "Diagnostics",
      ]),
    module("FileStore", ["CSystem", "Bytes", "Diagnostics"]),
    module(
      "YarnPatch",
      [
        "PatchPlanning", "Linting", "FileStore", "Weights", "Attention", "Agreement", "Runtimes", "ModelConfig", "RoPE",
        "GGUF", "Safetensors", "LosslessJSON", "Bytes", "Diagnostics",
      ]),
    module("Drawing"),
    module(
      "Reporting",
      [
        "YarnPatch", "Linting", "Agreement", "Drawing", "Runtimes", "ModelConfig", "RoPE", "LosslessJSON", "Bytes",
        "Diagnostics",
      ]),
    module(
      "HTMLReport",
      [
        "Reporting", "YarnPatch", "Linting", "Drawing", "PatchPlanning", "Runtimes", "ModelConfig", "RoPE",
        "LosslessJSON", "Bytes", "Diagnostics",
      ], resources: [.embedInCode("page")]),
    .executableTarget(
      name: "yarn-patch",
      dependencies: [
        "YarnPatch", "Linting", "Reporting", "HTMLReport", "Runtimes", "Diagnostics",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),

    .target(name: "TestSupport", dependencies: ["Bytes", "Diagnostics"], path: "Tests/TestSupport"),
    tests(of: "ModelConfig", ["RoPE", "GGUF", "Safetensors", "LosslessJSON", "Bytes", "Diagnostics"]),
    tests(of: "Runtimes", ["ModelConfig", "GGUF", "LosslessJSON", "RoPE", "Bytes", "Diagnostics"]),
    tests(of: "Agreement", ["Runtimes", "ModelConfig", "GGUF", "LosslessJSON", "RoPE", "Bytes", "Diagnostics"]),
    tests(of: "Bytes", ["Diagnostics"]),
    tests(of: "GGUF", ["Bytes", "Diagnostics"]),
    tests(of: "LosslessJSON", ["Bytes", "Diagnostics"]),
    tests(of: "Safetensors", ["LosslessJSON", "Bytes", "Diagnostics"]),
    tests(of: "FileStore", ["Bytes", "Diagnostics"]),
    tests(of: "RoPE"),
    tests(of: "Attention", ["RoPE"]),
    tests(
      of: "Weights",
      ["FileStore", "Attention", "ModelConfig", "RoPE", "GGUF", "Safetensors", "LosslessJSON", "Bytes", "Diagnostics"]),
    tests(
      of: "PatchPlanning",
      ["Agreement", "Runtimes", "ModelConfig", "RoPE", "GGUF", "LosslessJSON", "Bytes", "Diagnostics"]),
    tests(
      of: "YarnPatch",
      [
        "PatchPlanning", "FileStore", "Weights", "Attention", "Runtimes", "ModelConfig", "RoPE", "GGUF",
        "LosslessJSON", "Bytes", "Diagnostics",
      ]),
    tests(
      of: "Linting",
      ["FileStore", "ModelConfig", "Runtimes", "GGUF", "LosslessJSON", "YarnPatch", "Bytes", "Diagnostics"]),
    tests(of: "Drawing"),
    tests(of: "Reporting", ["YarnPatch", "Linting", "Drawing", "Runtimes", "RoPE", "LosslessJSON"]),
    tests(of: "HTMLReport", ["YarnPatch", "Runtimes", "RoPE", "LosslessJSON"]),
    .testTarget(
      name: "CommandLineTests",
      dependencies: [
        "yarn-patch", "TestSupport", "YarnPatch", "Runtimes", "PatchPlanning", "LosslessJSON", "Bytes", "Diagnostics",
      ], swiftSettings: strict),
  ]
)
