// Walks a grammar byte by byte. A grammar may be in many places at once; such a set of places is a state, and
// states are numbered and their steps remembered as they are met (a lazily built deterministic machine, as
// RE2 does it), so that walking a whole vocabulary costs a table lookup per byte. A place is a node, the
// rules it was called from with their counts, and for a copied piece the position in the request.
//
// Only places from which the end can be reached are kept: a walker never leads into a dead end.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/constraint_index.h"
#include "runtime/constraint_request.h"
#include "runtime/grammar_tokens.h"

namespace ink {

class GrammarWalker {
 public:
  using State = uint32_t;
  static constexpr State kDead = UINT32_MAX;

  GrammarWalker(const TokenGrammar& grammar, std::string_view request);

  State start();  // kDead: the grammar allows nothing with this request
  State step(State from, uint8_t byte) {
    const StateRecord& record = states_[from];
    if (record.table != nullptr && record.table[byte] != kUnknown) return record.table[byte];
    return record.bytes[byte] ? step_slowly(from, byte) : kDead;
  }
  State step_marker(State from, int32_t token);

  const ByteSet& next_bytes(State state) const { return states_[state].bytes; }
  bool at_end(State state) const { return states_[state].at_end; }
  bool in_reply(State state) const { return states_[state].in_reply; }
  bool in_copy(State state) const { return states_[state].in_copy; }
  std::vector<int32_t> marker_tokens(State state) const;

  // Where the grammar is before a character of a text, one of many that it counts or not (kRepeat of a
  // character rule), and all others of its places take no bytes above ASCII: these bytes of ASCII, and all
  // other characters or none (Grammar::CharacterRule), lead to `next`. kDead: it is elsewhere.
  struct TextStep {
    State next = kDead;
    ByteSet ascii;
    bool others = false;
  };
  TextStep text_step(State from);

  // Two states of one grammar with equal keys, even of different walkers, allow the same tokens, unless the
  // request has a say. Counts that are further from their limits than a token is long make no difference.
  std::string key(State state) const;

  // What is remembered. Ordinary states have a place or two; a hostile grammar can have thousands in each.
  size_t memory_bytes() const {
    return places_.size() * sizeof(Place) + states_.size() * sizeof(StateRecord) + table_count_ * kTableBytes;
  }
  // Forgets all states but this one, which gets the number that is returned.
  State forget_others(State state);

 private:
  static constexpr State kUnknown = UINT32_MAX - 1;
  struct Place {
    uint32_t node = 0;
    uint32_t frame = 0;
    uint32_t extra = 0;  // of kRepeat: rounds done; of kCopied: 0, or 1 + 2 * position + whether it has begun
    bool operator==(const Place&) const = default;
    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 is wrong about <=>
    auto operator<=>(const Place&) const = default;
  };
  struct Frame {  // a rule that was called: where to go on when it is over
    uint32_t node = 0;
    uint32_t count = 0;  // of kRepeat: rounds done when this one is over
    uint32_t parent = 0;
    uint32_t depth = 0;
  };
  struct StateRecord {
    uint32_t first_place = 0;  // in places_: sorted; only those that take a byte or a marker, or are the end
    uint32_t place_count = 0;
    ByteSet bytes;
    State* table = nullptr;  // one for each byte; made at the first step
    bool at_end = false;
    bool in_reply = false;
    bool in_copy = false;
  };
  // Places met while one state is made. Forgetting them costs nothing.
  class PlaceSet {
   public:
    bool insert(const Place& place);  // false: was there
    void clear();

   private:
    struct Slot {
      Place place;
      uint32_t round = 0;
    };
    void grow();
    std::vector<Slot> slots_ = std::vector<Slot>(64);
    size_t count_ = 0;
    uint32_t round_ = 1;
  };

  State step_slowly(State from, uint8_t byte);
  uint32_t push_frame(uint32_t node, uint32_t count, uint32_t parent);
  void reach(uint32_t node, uint32_t frame, uint32_t extra);
  void expand(const Place& place);
  void expand_repeat(const Place& place, const GrammarNode& node);
  void expand_copied(const Place& place, const GrammarNode& node);
  State finish_state();  // from what was reached
  StateRecord describe(std::span<const Place> places) const;
  std::span<const Place> places_of(State state) const {
    return {places_.data() + states_[state].first_place, states_[state].place_count};
  }
  State* make_table(const ByteSet& bytes);
  uint32_t equivalent_count(const Frame& frame) const;

  const TokenGrammar& tokens_;
  const Grammar& grammar_;
  RequestPieces pieces_;
  std::vector<StateRecord> states_;
  std::vector<Place> places_;  // of all states, one after the other
  RecordIndex known_states_;
  static constexpr size_t kTableBytes = 256 * sizeof(State);
  static constexpr size_t kTablesAtOnce = 16;
  std::vector<std::unique_ptr<State[]>> tables_;  // 16 in each
  size_t table_count_ = 0;
  std::vector<Frame> frames_;
  RecordIndex known_frames_;
  std::vector<Place> open_;     // reached, not yet expanded
  std::vector<Place> reached_;  // of the state that is being made
  PlaceSet met_;
};

}  // namespace ink
