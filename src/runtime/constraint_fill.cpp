// See constraint_fill.h.
#include "runtime/constraint_fill.h"

#include <algorithm>
#include <string_view>

namespace ink {
namespace {

constexpr auto kDead = GrammarWalker::kDead;
// Fewer bytes than this, and the walk through the tree is the quick way.
constexpr size_t kTextBytes = 40;

const ByteSet kAscii = byte_range(0, 0x7f);
const ByteSet kLeads = byte_range(0xc2, 0xf4);

}  // namespace

MaskFiller::Filled MaskFiller::fill(GrammarWalker& walker, State state, TokenMask& mask) {
  if (walker.next_bytes(state).count() >= kTextBytes && !walker.in_copy(state)) {
    const TextPath text = find_text(walker, state);
    if (text.exists && cost_of(text) < tree_.nodes().size() / 2) return fill_text(walker, state, text, mask);
  }
  return fill_bytes(walker, state, ByteSet().set(), mask);
}

MaskFiller::Filled MaskFiller::fill_bytes(GrammarWalker& walker, State state, const ByteSet& alphabet,
                                          TokenMask& mask) {
  const auto& nodes = tree_.nodes();
  path_.resize(size_t{tree_.longest_bytes()} + 1);
  path_[0] = state;
  Filled filled{0, walker.in_copy(state), true};
  // Takes the byte of node i, and the tokens that end there.
  const auto enter = [&](uint32_t i) {
    const TokenTree::Node& node = nodes[i];
    ++filled.cost;
    if (!alphabet[node.byte]) return false;
    const State to = walker.step(path_[node.depth - 1u], node.byte);
    if (to == kDead) return false;
    filled.met_request = filled.met_request || walker.in_copy(to);
    path_[node.depth] = to;
    for (uint32_t t = node.first_token; t < nodes[i + 1].first_token; ++t) mask.set(tree_.tokens()[t], true);
    return true;
  };
  std::vector<uint32_t> roots;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const uint32_t root =
        walker.next_bytes(state)[byte] ? tree_.child_of_root(static_cast<uint8_t>(byte)) : 0;
    if (root != 0 && enter(root)) roots.push_back(root);
  }
  for (const uint32_t root : roots) {
    path_[1] = walker.step(state, nodes[root].byte);
    for (uint32_t i = root + 1; i < nodes[root].after;) {
      i = enter(i) ? i + 1 : nodes[i].after;
      if (walker.places() <= kMaxPlaces) continue;
      filled.complete = false;
      return filled;
    }
  }
  return filled;
}

MaskFiller::CharacterStep MaskFiller::find_step(GrammarWalker& walker, State state) {
  CharacterStep step;
  step.known = true;
  if (const auto text = walker.text_step(state); text.next != kDead) {
    step.alike = true;
    step.others = text.others;
    step.next = text.next;
    step.ascii = text.ascii;
    return step;
  }
  const ByteSet taken = walker.next_bytes(state);
  uint8_t usual = 0;  // a byte that ordinary texts have
  for (const char c : {'0', 'E', 'e'}) {
    if (taken[static_cast<uint8_t>(c)]) usual = static_cast<uint8_t>(c);
  }
  step.others = (taken & kLeads).any();
  step.alike = usual != 0 || !step.others;
  if (usual == 0) return step;
  step.next = walker.step(state, usual);
  for (size_t byte = 0; byte < 0x80; ++byte)
    step.ascii[byte] = taken[byte] && walker.step(state, static_cast<uint8_t>(byte)) == step.next;
  if (step.others) step.alike = others_lead_to(walker, state, step.next);
  return step;
}

const MaskFiller::CharacterStep& MaskFiller::character_step(GrammarWalker& walker, State state) {
  if (steps_.size() <= state) steps_.resize(state + 1);
  if (!steps_[state].known) steps_[state] = find_step(walker, state);
  return steps_[state];
}

// Follows one character after the other until a state comes back or nothing more is taken.
MaskFiller::TextPath MaskFiller::find_text(GrammarWalker& walker, State state) {
  TextPath text;
  text.alike = kAscii;
  text.ascii = !character_step(walker, state).others;
  for (State at = state; text.characters < TextTokens::kMostCharacters; ++text.characters) {
    const CharacterStep& step = character_step(walker, at);
    const ByteSet taken = walker.next_bytes(at);
    text.apart |= taken & kAscii;
    if (step.next == kDead) {  // no ordinary character may follow: others that may are not ordinary
      text.alike &= ~taken;
      if (step.others) return text;
      break;
    }
    if (!step.alike || step.others == text.ascii) return text;
    text.alike &= step.ascii;
    if (step.next == at) {
      text.characters = TextTokens::kMostCharacters;
      break;
    }
    if (walker.places() > kMaxPlaces) return text;
    at = step.next;
  }
  text.apart &= ~text.alike;
  text.exists = text.alike.any();
  return text;
}

// Whether all characters above ASCII that are in TextTokens::plain lead to the same state.
bool MaskFiller::others_lead_to(GrammarWalker& walker, State state, State next) {
  checked_.clear();
  const auto lead_to = [&](State from, unsigned first, unsigned last, int left) {
    for (unsigned byte = first; byte <= last; ++byte) {
      const State to = walker.step(from, static_cast<uint8_t>(byte));
      if (to == kDead || !rest_leads_to(walker, to, left, next)) return false;
    }
    return true;
  };
  struct Special {
    uint8_t lead, first, last;  // leads that are not followed by all of 0x80 to 0xbf
    int left;
  };
  constexpr Special kSpecials[] = {{0xc2, 0xa0, 0xbf, 0},
                                   {0xe0, 0xa0, 0xbf, 1},
                                   {0xed, 0x80, 0x9f, 1},
                                   {0xf0, 0x90, 0xbf, 2},
                                   {0xf4, 0x80, 0x8f, 2}};
  for (const Special& special : kSpecials) {
    const State to = walker.step(state, special.lead);
    if (to == kDead || !lead_to(to, special.first, special.last, special.left)) return false;
  }
  const State e2 = walker.step(state, 0xe2);
  const State e280 = e2 == kDead ? kDead : walker.step(e2, 0x80);
  if (e280 == kDead || !lead_to(e280, 0x80, 0xa7, 0) || !lead_to(e280, 0xaa, 0xbf, 0)) return false;
  return lead_to(e2, 0x81, 0xbf, 1) && lead_to(state, 0xc3, 0xdf, 1) && lead_to(state, 0xe1, 0xe1, 2) &&
         lead_to(state, 0xe3, 0xec, 2) && lead_to(state, 0xee, 0xef, 2) && lead_to(state, 0xf1, 0xf3, 3);
}

// Whether any so many continuing bytes lead there.
bool MaskFiller::rest_leads_to(GrammarWalker& walker, State state, int left, State next) {
  if (left == 0) return state == next;
  const std::pair<State, int> known{state, left};
  if (std::find(checked_.begin(), checked_.end(), known) != checked_.end()) return true;
  State last = kDead;
  for (unsigned byte = 0x80; byte <= 0xbf; ++byte) {
    const State to = walker.step(state, static_cast<uint8_t>(byte));
    if (to == kDead) return false;
    if (to != last && !rest_leads_to(walker, to, left - 1, next)) return false;
    last = to;
  }
  checked_.push_back(known);
  return true;
}

size_t MaskFiller::cost_of(const TextPath& text) const {
  size_t cost = tree_.texts().others().size();
  for (size_t byte = 0; byte < 0x80; ++byte) {
    if (text.apart[byte]) cost += tree_.texts().with(static_cast<uint8_t>(byte)).size();
  }
  return cost * 4;  // bytes of a token
}

void MaskFiller::walk_tokens(GrammarWalker& walker, State state, const std::vector<int32_t>& tokens,
                             TokenMask& mask, Filled& filled) {
  const Tokenizer& tokenizer = tree_.tokenizer();
  path_.resize(size_t{tree_.longest_bytes()} + 1);
  path_[0] = state;
  std::string_view last;
  size_t walked = 0;  // bytes of `last` that could be walked, to path_[walked]
  for (const int32_t id : tokens) {
    const std::string_view bytes = tokenizer.token_bytes(id);
    const size_t longest = std::min(bytes.size(), last.size());
    size_t shared = 0;
    while (shared < longest && bytes[shared] == last[shared]) ++shared;
    const bool died = walked < last.size();
    last = bytes;
    if (died && shared > walked) continue;
    for (walked = std::min(shared, walked); walked < bytes.size(); ++walked) {
      ++filled.cost;
      const State to = walker.step(path_[walked], static_cast<uint8_t>(bytes[walked]));
      if (to == kDead) break;
      filled.met_request = filled.met_request || walker.in_copy(to);
      path_[walked + 1] = to;
    }
    if (walked == bytes.size()) mask.set(id, true);
    filled.complete = walker.places() <= kMaxPlaces;
    if (!filled.complete) return;
  }
}

MaskFiller::Filled MaskFiller::fill_text(GrammarWalker& walker, State state, const TextPath& text,
                                         TokenMask& mask) {
  const TextTokens& texts = tree_.texts();
  Filled filled{0, false, true};
  mask = texts.plain(text.characters, text.ascii);
  for (size_t byte = 0; byte < 0x80; ++byte) {
    const auto one = static_cast<uint8_t>(byte);
    if (!text.alike[byte] && !texts.with(one).empty()) mask.remove(texts.mask_with(one));
  }
  filled.cost += 1000;  // the masks above
  walk_tokens(walker, state, texts.others(), mask, filled);
  for (size_t byte = 0; byte < 0x80 && filled.complete; ++byte) {
    if (text.apart[byte]) walk_tokens(walker, state, texts.with(static_cast<uint8_t>(byte)), mask, filled);
  }
  if (filled.complete) return filled;
  mask.clear();
  Filled bytes = fill_bytes(walker, state, ByteSet().set(), mask);
  bytes.complete = false;
  return bytes;
}

}  // namespace ink
