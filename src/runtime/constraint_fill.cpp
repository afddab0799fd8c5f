// See constraint_fill.h.
#include "runtime/constraint_fill.h"

#include <algorithm>

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

// Follows one character after the other until a state comes back or nothing more is taken.
MaskFiller::TextPath MaskFiller::find_text(GrammarWalker& walker, State state) {
  TextPath text;
  const ByteSet first = walker.next_bytes(state);
  uint8_t usual = 0;  // a byte that ordinary texts have
  for (const char c : {'0', 'E', 'e'}) {
    if (first[static_cast<uint8_t>(c)]) usual = static_cast<uint8_t>(c);
  }
  if (usual == 0) return text;
  text.alike = kAscii;
  text.ascii = (first & kLeads).none();
  for (State at = state; text.characters < TextTokens::kMostCharacters; ++text.characters) {
    const ByteSet taken = walker.next_bytes(at);
    const State next = walker.step(at, usual);
    text.apart |= taken & kAscii;
    if (next == kDead) {  // no ordinary character may follow: others that may are not ordinary
      text.alike &= ~walker.next_bytes(at);
      if ((walker.next_bytes(at) & kLeads).any()) return text;
      break;
    }
    for (size_t byte = 0; byte < 0x80; ++byte) {
      if (text.alike[byte] && walker.step(at, static_cast<uint8_t>(byte)) != next) text.alike.reset(byte);
    }
    const bool takes_others = (walker.next_bytes(at) & kLeads).any();
    if (takes_others == text.ascii || (takes_others && !others_lead_to(walker, at, next))) return text;
    if (next == at) {
      text.characters = TextTokens::kMostCharacters;
      break;
    }
    if (walker.places() > kMaxPlaces) return text;
    at = next;
  }
  text.apart &= ~text.alike;
  text.exists = true;
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

MaskFiller::Filled MaskFiller::fill_text(GrammarWalker& walker, State state, const TextPath& text,
                                         TokenMask& mask) {
  const TextTokens& texts = tree_.texts();
  const Tokenizer& tokenizer = tree_.tokenizer();
  Filled filled{0, false, true};
  mask = texts.plain(text.characters, text.ascii);
  for (size_t byte = 0; byte < 0x80; ++byte) {
    const auto one = static_cast<uint8_t>(byte);
    if (!text.alike[byte] && !texts.with(one).empty()) mask.remove(texts.mask_with(one));
  }
  const auto walk = [&](int32_t id) {
    State at = state;
    for (const char c : tokenizer.token_bytes(id)) {
      ++filled.cost;
      at = walker.step(at, static_cast<uint8_t>(c));
      if (at == kDead) return;
      filled.met_request = filled.met_request || walker.in_copy(at);
    }
    mask.set(id, true);
  };
  filled.cost += 1000;  // the masks above
  for (const int32_t id : texts.others()) walk(id);
  for (size_t byte = 0; byte < 0x80 && filled.complete; ++byte) {
    if (!text.apart[byte]) continue;
    for (const int32_t id : texts.with(static_cast<uint8_t>(byte))) {
      walk(id);
      filled.complete = walker.places() <= kMaxPlaces;
      if (!filled.complete) break;
    }
  }
  if (filled.complete) return filled;
  mask.clear();
  Filled bytes = fill_bytes(walker, state, ByteSet().set(), mask);
  bytes.complete = false;
  return bytes;
}

}  // namespace ink
