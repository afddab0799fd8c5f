// A compiled grammar: a network of nodes over bytes, cut into rules that call each other, as in a recursive
// transition network (Woods 1970). It is made by a compiler (runtime/grammar_tools.h compiles tool
// declarations) and read by a walker (runtime/constraint_walker.h); neither knows the other, so that other
// notations can be compiled to the same network.
//
// What a builder has to keep: every loop consumes a byte on each round, or leads back to the same place; a
// repeated rule never matches the empty text; rules do not call themselves without consuming a byte first.
// A call that is the last thing its rule does leaves no trace (a tail call): a list that is written as
// item-and-rest may be of any length.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ink {

using ByteSet = std::bitset<256>;
ByteSet byte_range(unsigned char first, unsigned char last);
ByteSet bytes_of(std::string_view bytes);

struct GrammarNode {
  enum class Kind : uint8_t {
    kBytes,   // one byte of set `what`, then `next`
    kMarker,  // marker `what` (one added token, or its bytes), then `next`
    kSplit,   // `next` or `what`
    kCall,    // rule that starts at node `what`, then `next`
    kRepeat,  // repeat `what`: its rule so many times, then `next`
    kCopied,  // a piece of the request as inside of a JSON string, then `next`
    kReturn,  // the rule is over
    kEnd,     // the text is whole
  };
  Kind kind = Kind::kEnd;
  bool in_reply = false;  // belongs to free text, whose length may be limited
  uint32_t what = 0;
  uint32_t next = 0;
};

inline constexpr uint32_t kNoLimit = UINT32_MAX;
inline constexpr uint32_t kMostFrames = 1000;  // rules in each other

class Grammar {
 public:
  struct Repeat {
    uint32_t rule = 0;
    uint32_t least = 0;
    uint32_t most = kNoLimit;
  };
  struct Marker {
    std::string text;
    uint32_t rule = 0;  // that spells it
  };

  // A rule for one character, of which all ordinary ones are taken alike: these bytes of ASCII, and all other
  // characters (but U+0080 to U+009F, U+2028 and U+2029, perhaps) or none.
  struct CharacterRule {
    std::vector<uint32_t> beginnings;  // the nodes that take the first byte, in order
    ByteSet ascii;
    bool others = false;
  };

  const GrammarNode& node(uint32_t index) const { return nodes_[index]; }
  const ByteSet& byte_set(uint32_t index) const { return byte_sets_[index]; }
  const Repeat& repeat(uint32_t index) const { return repeats_[index]; }
  const std::vector<Marker>& markers() const { return markers_; }
  const CharacterRule* character_rule(uint32_t rule) const {
    const auto found = character_rules_.find(rule);
    return found == character_rules_.end() ? nullptr : &found->second;
  }
  uint32_t start() const { return start_; }
  size_t size() const { return nodes_.size(); }
  // How many rules have to be called in each other, at the least, to reach the end of its rule from a node,
  // if copied pieces exist or if none does; kNever: it cannot be reached.
  static constexpr uint16_t kNever = UINT16_MAX;
  uint16_t depth_to_finish(uint32_t node, bool has_pieces) const {
    return (has_pieces ? depths_ : depths_without_pieces_)[node];
  }
  bool can_finish(uint32_t node, bool has_pieces) const {
    return depth_to_finish(node, has_pieces) <= max_frames_;
  }
  // Rules are not called deeper in each other than this: what is generated has to be readable.
  uint32_t max_frames() const { return max_frames_; }

 private:
  friend class GrammarBuilder;
  uint16_t measure(const GrammarNode& node, const std::vector<uint16_t>& depths, bool has_pieces) const;
  std::vector<uint16_t> find_depths(bool has_pieces) const;
  std::vector<GrammarNode> nodes_;
  std::vector<ByteSet> byte_sets_;
  std::vector<Repeat> repeats_;
  std::vector<Marker> markers_;
  std::unordered_map<uint32_t, CharacterRule> character_rules_;
  std::vector<uint16_t> depths_;
  std::vector<uint16_t> depths_without_pieces_;
  uint32_t start_ = 0;
  uint32_t max_frames_ = kMostFrames;
};

// Built from the end to the beginning: each function makes a node that goes on with `next` and returns it.
class GrammarBuilder {
 public:
  // Above this many nodes (the pocket assistant's 40 tools need 7,300) nothing more is made and full() is
  // true; the result must not be used then.
  static constexpr size_t kMaxNodes = size_t{1} << 17;

  uint32_t end();
  uint32_t done();  // the end of a rule
  uint32_t bytes(const ByteSet& set, uint32_t next);
  uint32_t text(std::string_view text, uint32_t next);
  // One of the texts; their common beginnings become one path. Without any: nothing().
  uint32_t one_of(std::vector<std::string> texts, uint32_t next);
  uint32_t nothing() { return bytes(ByteSet(), 0); }  // cannot be walked
  uint32_t marker(std::string_view text, uint32_t next);
  uint32_t either(uint32_t first, uint32_t second);
  uint32_t call(uint32_t rule, uint32_t next);
  uint32_t repeat(uint32_t rule, uint32_t least, uint32_t most, uint32_t next);
  uint32_t copied(uint32_t next);
  // For loops and for rules that are called before they are made: a split that is connected later.
  uint32_t open_split();
  void connect(uint32_t split, uint32_t first, uint32_t second);

  // Says about a rule that it is one of a character.
  void set_character_rule(uint32_t rule, const ByteSet& ascii, bool others);

  // All nodes made while it is set belong to free text.
  void set_in_reply(bool in_reply) { in_reply_ = in_reply; }
  void set_max_frames(uint32_t frames) { grammar_.max_frames_ = frames; }
  bool full() const { return full_; }
  Grammar finish(uint32_t start);

 private:
  uint32_t add(GrammarNode::Kind kind, uint32_t what, uint32_t next);
  uint32_t one_of_sorted(const std::string* first, const std::string* last, size_t at, uint32_t next);
  Grammar grammar_;
  std::unordered_map<ByteSet, uint32_t> set_index_;
  bool in_reply_ = false;
  bool full_ = false;
};

}  // namespace ink
