/// What a config.json states beyond the least that says the settings in its own layout, for runtimes that look elsewhere.
package struct ConfigSpelling: Sendable, Equatable {
  /// How a magnitude that is not YaRN's own is stated.
  package enum Magnitude: Sendable, CaseIterable {
    /// `attention_factor`.
    case plain
    /// The three members of rule YP401. For the automatic magnitude: none that some runtime takes for another one.
    case everyMember
    /// An mscale pair with the magnitude as its ratio, which classes of latent attention read as well.
    case ratio
  }

  /// The kind as `rope_type` and as `type`.
  package var namesKindTwice = false
  /// The base, the rotating share and the window at the top level under their usual names, and the base inside a newer
  /// dictionary as well.
  package var repeatsAtTop = false
  /// `rope_scaling` and `rope_parameters`.
  package var fillsBothDictionaries = false
  /// `beta_fast` and `beta_slow` also where they have their usual values.
  package var statesBetas = false
  package var magnitude = Magnitude.plain

  package init() {}

  /// Every layout, the most economical first.
  static let layouts: [ConfigSpelling] = [false, true].flatMap { statesBetas in
    [(false, false), (true, false), (true, true)].flatMap { repeatsAtTop, fillsBoth in
      [false, true].map { namesKindTwice in
        var spelling = ConfigSpelling()
        (spelling.namesKindTwice, spelling.repeatsAtTop) = (namesKindTwice, repeatsAtTop)
        (spelling.fillsBothDictionaries, spelling.statesBetas) = (fillsBoth, statesBetas)
        return spelling
      }
    }
  }
}
