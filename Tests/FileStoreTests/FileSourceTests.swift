import Bytes
import Diagnostics
import Glibc
import Testing

@testable import FileStore

@Suite struct FileSourceTests {
  @Test func `reads windows and knows the file's identity`() throws {
    let folder = TemporaryFolder()
    let source = try FileSource(folder.write("a", [1, 2, 3, 4, 5]))
    #expect(source.size == 5)
    #expect(try source.bytes(in: 1..<4) == [2, 3, 4])
    let status = try POSIXFileSystem().status(at: folder["a"], followingLinks: false)
    #expect(source.identity == status.identity)
    #expect(throws: FileError.self) { try source.bytes(in: 3..<6) }
  }

  @Test func `follows links`() throws {
    let folder = TemporaryFolder()
    try folder.write("a", [7])
    try folder.link("b", to: "a")
    #expect(try FileSource(folder["b"]).bytes(in: 0..<1) == [7])
  }

  @Test func `a file that gets shorter while it is read gives an error`() throws {
    let folder = TemporaryFolder()
    let source = try FileSource(folder.write("a", [1, 2, 3]))
    truncate(folder["a"], 1)
    let error = failure { () throws(FileError) in _ = try source.bytes(in: 0..<3) }
    #expect(error?.code == .truncated)
  }

  @Test func `anything but a regular file is refused without waiting for it`() throws {
    let folder = TemporaryFolder()
    mkfifo(folder["pipe"], 0o600)
    try folder.link("loop", to: "loop")
    let expected: [(String, FileError.Code)] = [
      (folder.path, .isADirectory), (folder["pipe"], .notARegularFile), ("/dev/null", .notARegularFile),
      (folder["none"], .notFound), (folder["loop"], .ioError),
    ]
    for (path, code) in expected {
      let error = failure { () throws(FileError) in _ = try FileSource(path) }
      #expect(error?.code == code, "\(path)")
      #expect(error?.location.path == path)
      #expect(error?.state == nil)
    }
  }

  @Test(arguments: [
    (ENOENT, FileError.Code.notFound), (EACCES, .permissionDenied), (EISDIR, .isADirectory), (ENOSPC, .noSpace),
    (EROFS, .readOnly), (EWOULDBLOCK, .busy), (EEXIST, .alreadyExists), (EIO, .ioError),
  ]) func `an error names the call, the errno and its text`(errno: Int32, code: FileError.Code) throws {
    let folder = TemporaryFolder()
    let path = try folder.write("a", [1])
    let broken = FaultyFileSystem(.call("open", errno), in: folder)
    let error = failure { () throws(FileError) in _ = try FileSource(path, in: broken) }
    #expect(error?.code == code)
    #expect(error?.found == "open failed: \(String(cString: strerror(errno))) (errno \(errno))")
  }

  @Test(arguments: [
    ("a/b/c", "a/b", "c"), ("c", ".", "c"), ("/c", "/", "c"), ("a/b//", "a", "b"), ("a//b", "a", "b"), ("/", "/", ""),
    ("a/\u{301}b", "a", "\u{301}b"), ("a\u{600}/", ".", "a\u{600}"),
  ]) func `a path has a folder and a name`(path: String, folder: String, name: String) {
    #expect(Path.folder(of: path) == folder)
    #expect(Path.name(of: path) == name)
  }

  @Test(
    arguments: [
      ("m/a.gguf", "m", "a.gguf"), ("./m/sub/a", "m/", "sub/a"), ("a", ".", "a"), ("/m/a", "/m", "a"), ("/a", "/", "a"),
      ("n/a", "m", nil), ("/m/a", "m", nil), ("m/../a", "m", nil), ("m", "m", nil), ("mm/a", "m", nil),
      ("../m/a", "../m", "a"), ("m/\u{301}a", "m", "\u{301}a"), ("m/../\u{301}a", "m", nil),
    ] as [(String, String, String?)])
  func `a path is seen from a folder`(path: String, folder: String, expected: String?) {
    #expect(Path.relative(path, to: folder) == expected)
  }

  @Test(
    arguments: [
      ("m", "p", "../m"), ("m", ".", "m"), ("m/", "./", "m"), ("m", "m", "."), (".", ".", "."), ("m/..", "p", ".."),
      ("p/deep", "p", "deep"), ("m", "p/deep", "../../m"), ("link", "p", "../link"),
      ("m/new.gguf", "p", "../m/new.gguf"),
      // Up from where the link leads to, not from where it stands.
      ("m", "link", "../../m"), ("link/x", "m", "../p/deep/x"), ("/", ".", "/"),
    ])
  func `a path is written as another folder sees it`(path: String, folder: String, expected: String) throws {
    let root = TemporaryFolder()
    for name in ["m", "p", "p/deep"] { try root.makeFolder(name) }
    try root.link("link", to: "p/deep")
    let fileSystem = POSIXFileSystem()
    #expect(try fileSystem.path(path == "/" ? path : root[path], seenFrom: root[folder]) == expected)
  }

  @Test func `a file is put under a free name, or in place of another`() throws {
    let folder = TemporaryFolder()
    let fileSystem = POSIXFileSystem()
    try fileSystem.put([1, 2], at: folder["a"], replacing: false)
    #expect(
      failure { () throws(FileError) in try fileSystem.put([3], at: folder["a"], replacing: false) }?.code
        == .alreadyExists)
    #expect(try folder.bytes("a") == [1, 2])
    try fileSystem.put([4], at: folder["a"], replacing: true)
    #expect(try folder.bytes("a") == [4] && folder.names() == ["a"])
  }

  @Test(arguments: [Fault.once(EIO), .once(ENOSPC), .always(EIO), .always(ENOSPC), .crash(.torn), .crash(.powerCut)])
  func `a file that could not be put is the former one or the new one`(fault: Fault) throws {
    let folder = TemporaryFolder(inMemory: true)
    for position in 1... {
      folder.empty { _ in false }
      try folder.write("a", [1])
      let broken = FaultyFileSystem(fault, at: position, in: folder)
      let error = failure { () throws(FileError) in try broken.put([2, 3], at: folder["a"], replacing: true) }
      guard let call = broken.hit else { break }
      if case .crash = fault {
        broken.loseUnsynced()
      } else {
        #expect(fault != .always(EIO) || error != nil, "\(call)")
      }
      #expect([[1], [2, 3]].contains(try folder.bytes("a")), "\(fault), call \(position), \(call)")
      if case .once = fault { #expect(folder.leftovers().isEmpty || call == "unlink", "\(call)") }
    }
  }
}
