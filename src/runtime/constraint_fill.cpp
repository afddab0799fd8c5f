// See constraint_fill.h.
#include "runtime/constraint_fill.h"

#include <algorithm>

namespace ink {
namespace {

constexpr auto kDead = GrammarWalker::kDead;
// Fewer bytes than this, and the walk through the tree is the quick way. The letters of one case are more.
constexpr size_t kTextBytes = 24;
// Of the masks of a text, in nodes of the tree.
constexpr size_t kTextCost = 1000;
// Tokens that are passed in a row are below at least so many nodes: else the nodes are walked as quickly.
constexpr uint32_t kRowNodes = 32;

const ByteSet kAnyByte = ByteSet().set();
const ByteSet kAscii = byte_range(0, 0x7f);
const ByteSet kLeads = byte_range(0xc2, 0xf4);

// Allows the tokens that end at a node.
void allow_at(const ByteTree& tree, uint32_t i, TokenMask& mask) {
  for (uint32_t t = tree.nodes()[i].first_token; t < tree.nodes()[i + 1].first_token; ++t)
    mask.set(tree.tokens()[t], true);
}

}  // namespace

// Tokens of ordinary characters are allowed at once, by what the states behind the first take, and three
// kinds of tokens are looked at one by one: odd ones; those with a character that a state behind the first
// takes otherwise; and those whose first byte the first state takes otherwise, as before the key of an
// object, where any letter may begin another key but some begin a key that is declared.
MaskFiller::Filled MaskFiller::fill(GrammarWalker& walker, State state, TokenMask& mask) {
  const TextTokens& texts = tree_.texts();
  const bool may_be_text = walker.next_bytes(state).count() >= kTextBytes && !walker.in_copy(state);
  const TextPath text = may_be_text ? find_text(walker, state) : TextPath();
  TextTokens::Kinds apart = TextTokens::kOdd | TextTokens::kinds_of(text.apart);
  Filled filled{0, walker.in_copy(state), true, 0};
  if (text.exists && (apart & texts.frequent()) == 0) {
    filled.cost = kTextCost;
    texts.allow(text.alike, text.ascii, text.characters, mask);
    const ByteSet wrongly = text.alike & ~text.first;
    const ByteSet missed = walker.next_bytes(state) & kAscii & ~text.alike & ~TextTokens::ascii_of(apart);
    walk_beginnings(walker, state, wrongly | missed, mask, filled);
  } else {
    apart = 0;
    walk(walker, state, tree_.bytes(), all_of(tree_.bytes()), kAnyByte, mask, filled);
  }
  for (TextTokens::Kinds rest = apart | filled.left_out; rest != 0 && filled.complete; rest &= rest - 1)
    walk(walker, state, texts.with(rest), all_of(texts.with(rest)), kAnyByte, mask, filled);
  if (!filled.complete) allow_single_bytes(walker, state, kAnyByte, mask);
  return filled;
}

MaskFiller::Filled MaskFiller::fill_bytes(GrammarWalker& walker, State state, const ByteSet& alphabet,
                                          TokenMask& mask) {
  Filled filled{0, walker.in_copy(state), true, 0};
  walk(walker, state, tree_.bytes(), all_of(tree_.bytes()), alphabet, mask, filled);
  if (!filled.complete) allow_single_bytes(walker, state, alphabet, mask);
  return filled;
}

void MaskFiller::walk_beginnings(GrammarWalker& walker, State state, const ByteSet& bytes, TokenMask& mask,
                                 Filled& filled) {
  const ByteTree& tree = tree_.bytes();
  const auto& nodes = tree.nodes();
  for (uint32_t i = 1; i + 1 < nodes.size() && filled.complete; i = nodes[i].after) {
    if (!bytes[nodes[i].byte]) continue;
    for (uint32_t t = nodes[i].first_token; t < nodes[nodes[i].after].first_token; ++t)
      mask.set(tree.tokens()[t], false);
    walk(walker, state, tree, {i, nodes[i].after}, kAnyByte, mask, filled);
  }
}

void MaskFiller::walk(GrammarWalker& walker, State state, const ByteTree& tree, Nodes range,
                      const ByteSet& alphabet, TokenMask& mask, Filled& filled) {
  const auto& nodes = tree.nodes();
  const bool may_have_rows = &tree == &tree_.bytes() && alphabet.all();
  path_.resize(tree_.longest_bytes() + 1);
  path_[0] = state;
  for (uint32_t i = range.begin; i < range.end;) {
    const ByteTree::Node& node = nodes[i];
    const State from = path_[node.depth - 1u];
    ++filled.cost;
    if (node.after == i + 1) {  // where it leads to is of no interest, and need not be made
      if (walker.next_bytes(from)[node.byte] && alphabet[node.byte]) allow_at(tree, i, mask);
      ++i;
      continue;
    }
    const State to = alphabet[node.byte] ? walker.step(from, node.byte) : kDead;
    if (to == kDead) {
      i = node.after;
      continue;
    }
    allow_at(tree, i++, mask);
    path_[node.depth] = to;
    filled.met_request = filled.met_request || walker.in_copy(to);
    if (may_have_rows && node.after - i >= kRowNodes &&
        allow_row(walker, to, {i - 1, node.after}, mask, filled))
      i = node.after;
    filled.complete = walker.memory_bytes() <= kMaxBytes;
    if (!filled.complete) return;
  }
}

// All tokens below a node begin like the token at it: if that one would be left out, they all would.
bool MaskFiller::allow_row(GrammarWalker& walker, State state, Nodes below, TokenMask& mask, Filled& filled) {
  if (walker.next_bytes(state).count() < kTextBytes || walker.in_copy(state)) return false;
  const TextTokens::Kinds apart = character_step(walker, state).apart_from_row;
  const ByteTree& tree = tree_.bytes();
  const uint32_t first = tree.nodes()[below.begin].first_token, end = tree.nodes()[below.end].first_token;
  const bool has_token = first < tree.nodes()[below.begin + 1].first_token;
  if (apart == 0 || !has_token || (tree_.texts().kinds_at(first) & apart) != 0) return false;
  for (uint32_t t = first + 1; t < end; ++t) {
    if ((tree_.texts().kinds_at(t) & apart) == 0) mask.set(tree.tokens()[t], true);
  }
  filled.cost += end - first;
  filled.left_out |= apart;
  return true;
}

void MaskFiller::allow_single_bytes(const GrammarWalker& walker, State state, const ByteSet& alphabet,
                                    TokenMask& mask) {
  mask.clear();
  const auto& nodes = tree_.bytes().nodes();
  for (uint32_t i = 1; i + 1 < nodes.size(); i = nodes[i].after) {
    if (walker.next_bytes(state)[nodes[i].byte] && alphabet[nodes[i].byte]) allow_at(tree_.bytes(), i, mask);
  }
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
  CharacterStep& step = steps_[state];
  if (step.known) return step;
  step = find_step(walker, state);
  if (step.alike && step.others && step.next == state) {
    const TextTokens::Kinds apart = TextTokens::kOdd | TextTokens::kinds_of(kAscii & ~step.ascii);
    if ((apart & tree_.texts().frequent()) == 0) step.apart_from_row = apart;
  }
  return step;
}

// Follows one character after the other until a state comes back or nothing more is taken.
MaskFiller::TextPath MaskFiller::find_text(GrammarWalker& walker, State state) {
  TextPath text;
  const CharacterStep begun = character_step(walker, state);
  if (begun.next == kDead || !begun.alike) return text;
  text.first = begun.ascii;
  text.ascii = !begun.others;
  text.alike = kAscii;
  State at = begun.next;
  for (text.characters = 1; text.characters < TextTokens::kMostCharacters; ++text.characters) {
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
    if (walker.memory_bytes() > kMaxBytes) return text;
    at = step.next;
  }
  if (text.characters == 1) text.alike &= text.first;
  text.apart &= ~text.alike;
  text.exists = (text.alike & text.first).count() >= kTextBytes;
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

}  // namespace ink
