/// Whether `text` matches a pattern of `*` (any run) and `?` (any one character).
public func matches(_ text: String, glob pattern: String) -> Bool {
  let (text, pattern) = (Array(text), Array(pattern))
  var (t, p) = (0, 0)
  var restart: (t: Int, p: Int)?
  while t < text.count {
    if p < pattern.count, pattern[p] == "*" {
      restart = (t, p)
      p += 1
    } else if p < pattern.count, pattern[p] == "?" || pattern[p] == text[t] {
      (t, p) = (t + 1, p + 1)
    } else if let last = restart {
      restart = (last.t + 1, last.p)
      (t, p) = (last.t + 1, last.p + 1)
    } else {
      return false
    }
  }
  return pattern[p...].allSatisfy { $0 == "*" }
}
