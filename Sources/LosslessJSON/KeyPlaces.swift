/// Where the keys of one object stand among its members, to notice a key that occurs again.
///
/// A few keys are compared one by one; hashing pays from some dozen on.
struct KeyPlaces {
  private static let fewKeys = 12
  private var indices: [ExactKey: Int] = [:]

  /// The index of the last member with this key, which is then taken to be appended.
  mutating func place(of key: String, among members: [JSONMember]) -> Int? {
    guard members.count >= Self.fewKeys else { return members.lastIndex { $0.key.isExactly(key) } }
    if members.count == Self.fewKeys {
      for (index, member) in members.enumerated() { indices[ExactKey(member.key)] = index }
    }
    return indices.updateValue(members.count, forKey: ExactKey(key))
  }
}
