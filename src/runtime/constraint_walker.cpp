// See constraint_walker.h.
#include "runtime/constraint_walker.h"

#include <algorithm>
#include <bit>

namespace ink {
namespace {

using Kind = GrammarNode::Kind;

uint64_t mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
  return hash ^ (hash >> 29);
}

template <typename Visit>
void for_each_byte(const ByteSet& bytes, Visit visit) {
  const ByteSet lowest_word(~uint64_t{0});
  for (size_t from = 0; from < 256; from += 64) {
    for (uint64_t word = (bytes >> from & lowest_word).to_ullong(); word != 0; word &= word - 1)
      visit(from + static_cast<size_t>(std::countr_zero(word)));
  }
}

}  // namespace

bool GrammarWalker::PlaceSet::insert(const Place& place) {
  if (2 * (count_ + 1) > slots_.size()) grow();
  const size_t mask = slots_.size() - 1;
  const uint64_t hash = mix(mix(mix(0, place.node), place.frame), place.extra);
  for (size_t i = hash & mask;; i = (i + 1) & mask) {
    Slot& slot = slots_[i];
    if (slot.round != round_) {
      slot = {place, round_};
      ++count_;
      return true;
    }
    if (slot.place == place) return false;
  }
}

void GrammarWalker::PlaceSet::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  const uint32_t round = round_;
  clear();
  for (const Slot& slot : old) {
    if (slot.round == round) insert(slot.place);
  }
}

void GrammarWalker::PlaceSet::clear() {
  count_ = 0;
  if (++round_ != 0) return;
  std::fill(slots_.begin(), slots_.end(), Slot());
  round_ = 1;
}

GrammarWalker::GrammarWalker(const TokenGrammar& grammar, std::string_view request)
    : tokens_(grammar), grammar_(grammar.grammar()), pieces_(request), frames_(1) {}

GrammarWalker::State GrammarWalker::start() {
  reach(grammar_.start(), 0, 0);
  return finish_state();
}

uint32_t GrammarWalker::push_frame(uint32_t node, uint32_t count, uint32_t parent) {
  const auto next = static_cast<uint32_t>(frames_.size());
  const uint32_t index =
      known_frames_.find_or_add(mix(mix(mix(0, node), count), parent), next, [&](uint32_t known) {
        const Frame& frame = frames_[known];
        return frame.node == node && frame.count == count && frame.parent == parent;
      });
  if (index == next) frames_.push_back({node, count, parent, frames_[parent].depth + 1});
  return index;
}

void GrammarWalker::reach(uint32_t node, uint32_t frame, uint32_t extra) {
  const Place place{node, frame, extra};
  // Deep inside, only what can still be finished within the limit is followed: there is no dead end there.
  if (frames_[frame].depth + grammar_.depth_to_finish(node, pieces_.any()) > grammar_.max_frames()) return;
  if (met_.insert(place)) open_.push_back(place);
}

// Follows everything that takes no byte.
void GrammarWalker::expand(const Place& place) {
  const GrammarNode& node = grammar_.node(place.node);
  switch (node.kind) {
    case Kind::kBytes:
    case Kind::kEnd:
      reached_.push_back(place);
      break;
    case Kind::kMarker:
      if (tokens_.marker_token(node.what) >= 0) {
        reached_.push_back(place);
      } else {
        reach(grammar_.markers()[node.what].rule, push_frame(place.node, 0, place.frame), 0);
      }
      break;
    case Kind::kSplit:
      reach(node.next, place.frame, 0);
      reach(node.what, place.frame, 0);
      break;
    case Kind::kCall: {
      const bool is_last = grammar_.node(node.next).kind == Kind::kReturn;
      reach(node.what, is_last ? place.frame : push_frame(place.node, 0, place.frame), 0);
      break;
    }
    case Kind::kRepeat:
      expand_repeat(place, node);
      break;
    case Kind::kCopied:
      expand_copied(place, node);
      break;
    case Kind::kReturn: {
      const Frame frame = frames_[place.frame];
      const GrammarNode& caller = grammar_.node(frame.node);
      if (caller.kind == Kind::kRepeat) {
        reach(frame.node, frame.parent, frame.count);
      } else {
        reach(caller.next, frame.parent, 0);
      }
      break;
    }
  }
}

void GrammarWalker::expand_repeat(const Place& place, const GrammarNode& node) {
  const Grammar::Repeat& repeat = grammar_.repeat(node.what);
  const uint32_t done = place.extra;
  if (done >= repeat.least) reach(node.next, place.frame, 0);
  if (done >= repeat.most) return;
  // Without an upper limit, rounds beyond the lower one need not be told apart.
  const uint32_t after = repeat.most == kNoLimit ? std::min(done + 1, repeat.least) : done + 1;
  reach(repeat.rule, push_frame(place.node, after, place.frame), 0);
}

void GrammarWalker::expand_copied(const Place& place, const GrammarNode& node) {
  if (place.extra == 0) {
    for (const uint32_t start : pieces_.starts())
      reached_.push_back({place.node, place.frame, 1 + 2 * start});
    return;
  }
  const uint32_t position = (place.extra - 1) / 2;
  if (pieces_.may_end(position)) reach(node.next, place.frame, 0);
  if (pieces_.next_byte(position) >= 0) reached_.push_back(place);
}

GrammarWalker::StateRecord GrammarWalker::describe(std::span<const Place> places) const {
  StateRecord state;
  state.place_count = static_cast<uint32_t>(places.size());
  state.in_reply = true;
  for (const Place& place : places) {
    const GrammarNode& node = grammar_.node(place.node);
    if (node.kind == Kind::kBytes) state.bytes |= grammar_.byte_set(node.what);
    if (node.kind == Kind::kCopied) {
      state.bytes.set(static_cast<size_t>(pieces_.next_byte((place.extra - 1) / 2)));
      state.in_copy = true;
    }
    state.at_end = state.at_end || node.kind == Kind::kEnd;
    state.in_reply = state.in_reply && node.in_reply;
  }
  return state;
}

GrammarWalker::State GrammarWalker::finish_state() {
  while (!open_.empty()) {
    const Place place = open_.back();
    open_.pop_back();
    expand(place);
  }
  met_.clear();
  if (reached_.empty()) return kDead;
  std::sort(reached_.begin(), reached_.end());
  uint64_t hash = 0;
  for (const Place& place : reached_) hash = mix(mix(mix(hash, place.node), place.frame), place.extra);
  const auto next = static_cast<State>(states_.size());
  const State state = known_states_.find_or_add(hash, next, [&](State known) {
    const auto places = places_of(known);
    return std::equal(places.begin(), places.end(), reached_.begin(), reached_.end());
  });
  if (state == next) {
    states_.push_back(describe(reached_));
    states_.back().first_place = static_cast<uint32_t>(places_.size());
    places_.insert(places_.end(), reached_.begin(), reached_.end());
  }
  reached_.clear();
  return state;
}

GrammarWalker::State* GrammarWalker::make_table(const ByteSet& bytes) {
  const size_t at = table_count_++ % kTablesAtOnce;
  if (at == 0) tables_.push_back(std::make_unique_for_overwrite<State[]>(kTablesAtOnce * 256));
  State* table = tables_.back().get() + at * 256;
  std::fill_n(table, 256, kDead);
  for_each_byte(bytes, [&](size_t byte) { table[byte] = kUnknown; });
  return table;
}

// All bytes that the same places take lead to the same state: they are found together, so that a state is
// made a few times and not for each of 256 bytes.
GrammarWalker::State GrammarWalker::step_slowly(State from, uint8_t byte) {
  ByteSet alike = states_[from].bytes;
  for (const Place& place : places_of(from)) {
    const GrammarNode& node = grammar_.node(place.node);
    if (node.kind == Kind::kBytes) {
      const ByteSet& set = grammar_.byte_set(node.what);
      alike &= set[byte] ? set : ~set;
      if (set[byte]) reach(node.next, place.frame, 0);
    }
    if (node.kind == Kind::kCopied) {
      const uint32_t position = (place.extra - 1) / 2;
      const auto next = static_cast<uint8_t>(pieces_.next_byte(position));
      alike &= next == byte ? ByteSet().set(next) : ~ByteSet().set(next);
      if (next == byte) reach(place.node, place.frame, 1 + 2 * (position + 1) + 1);
    }
  }
  const State to = finish_state();
  StateRecord& record = states_[from];
  if (record.table == nullptr) record.table = make_table(record.bytes);
  for_each_byte(alike, [&](size_t other) { record.table[other] = to; });
  return to;
}

GrammarWalker::State GrammarWalker::step_marker(State from, int32_t token) {
  for (const Place& place : places_of(from)) {
    const GrammarNode& node = grammar_.node(place.node);
    if (node.kind == Kind::kMarker && tokens_.marker_token(node.what) == token)
      reach(node.next, place.frame, 0);
  }
  return finish_state();
}

GrammarWalker::TextStep GrammarWalker::text_step(State from) {
  const Grammar::CharacterRule* rule = nullptr;
  uint32_t in_frame = 0;
  std::vector<uint32_t> beginnings;
  ByteSet elsewhere;
  for (const Place& place : places_of(from)) {
    const GrammarNode& node = grammar_.node(place.node);
    const GrammarNode& caller = grammar_.node(frames_[place.frame].node);
    const auto* own = caller.kind == Kind::kRepeat && place.frame != 0
                          ? grammar_.character_rule(grammar_.repeat(caller.what).rule)
                          : nullptr;
    if (own != nullptr && node.kind == Kind::kBytes && (rule == nullptr || place.frame == in_frame)) {
      rule = own;
      in_frame = place.frame;
      beginnings.push_back(place.node);
    } else if (node.kind == Kind::kBytes) {
      elsewhere |= grammar_.byte_set(node.what);
    } else if (node.kind == Kind::kCopied) {
      return {};
    }
  }
  if (rule == nullptr || beginnings != rule->beginnings || (elsewhere & byte_range(0x80, 0xff)).any())
    return {};
  const ByteSet alone = rule->ascii & ~elsewhere;
  if (2 * alone.count() < rule->ascii.count()) return {};  // two texts at once
  const Frame frame = frames_[in_frame];
  reach(frame.node, frame.parent, frame.count);
  return {finish_state(), alone, rule->others};
}

std::vector<int32_t> GrammarWalker::marker_tokens(State state) const {
  std::vector<int32_t> tokens;
  for (const Place& place : places_of(state)) {
    const GrammarNode& node = grammar_.node(place.node);
    if (node.kind == Kind::kMarker) tokens.push_back(tokens_.marker_token(node.what));
  }
  return tokens;
}

// A token's bytes are at most so many rounds of a repeat: as long as no limit is that near, all counts allow
// the same tokens.
uint32_t GrammarWalker::equivalent_count(const Frame& frame) const {
  const GrammarNode& node = grammar_.node(frame.node);
  if (node.kind != Kind::kRepeat) return 0;
  const Grammar::Repeat& repeat = grammar_.repeat(node.what);
  const uint64_t soon = uint64_t{frame.count} + tokens_.tree().longest_bytes();
  if (frame.count >= repeat.least && soon < repeat.most) return repeat.least;
  if (soon < repeat.least) return 0;
  return frame.count;
}

std::string GrammarWalker::key(State state) const {
  std::string key(1, pieces_.any() ? '1' : '0');
  const auto append = [&key](uint32_t value) { key.append(reinterpret_cast<const char*>(&value), 4); };
  for (const Place& place : places_of(state)) {
    append(place.node);
    append(place.extra);
    for (uint32_t frame = place.frame; frame != 0; frame = frames_[frame].parent) {
      append(frames_[frame].node);
      append(equivalent_count(frames_[frame]));
    }
    append(UINT32_MAX);
  }
  return key;
}

GrammarWalker::State GrammarWalker::forget_others(State state) {
  const auto kept = places_of(state);
  reached_.assign(kept.begin(), kept.end());
  states_.clear();
  places_.clear();
  known_states_.clear();
  tables_.clear();
  table_count_ = 0;
  return finish_state();
}

}  // namespace ink
