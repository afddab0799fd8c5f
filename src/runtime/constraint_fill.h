// Which tokens can be walked from a state: the mask of a step. Most states take few bytes, and a walk through
// the tree of the vocabulary that turns back at the first byte that is not taken is quick. States inside of
// texts take nearly all; there, tokens of ordinary characters are allowed together
// (runtime/grammar_text_tokens.h) once it is certain that the grammar takes those characters one like the
// other, and the walk is one through the few other tokens.
#pragma once

#include <vector>

#include "runtime/constraint_walker.h"

namespace ink {

class MaskFiller {
 public:
  // What a walker may remember while one mask is computed, which only a hostile grammar reaches.
  static constexpr size_t kMaxBytes = size_t{64} << 20;

  struct Filled {
    size_t cost = 0;                 // nodes of the tree that were walked, tokens that were passed in a row
    bool met_request = false;        // and the request had a say in some of them
    bool complete = true;            // else kMaxBytes were reached, and only tokens of one byte are there
    TextTokens::Kinds left_out = 0;  // rows have left out the tokens in which one of these occurs
  };

  explicit MaskFiller(const TokenTree& tree) : tree_(tree) {}
  // Allows every token that can be walked, in a mask that allows none. When that takes more memory than is
  // granted, tokens of one byte are allowed all the same, so that the answer can go on, and the rest is left
  // out: by the state alone and not by what was walked before, since the answer must not depend on that.
  Filled fill(GrammarWalker& walker, GrammarWalker::State state, TokenMask& mask);
  void forget() { steps_.clear(); }  // the walker has forgotten its states
  // The same for the tokens of these bytes alone.
  Filled fill_bytes(GrammarWalker& walker, GrammarWalker::State state, const ByteSet& alphabet,
                    TokenMask& mask);

 private:
  using State = GrammarWalker::State;
  // How a state takes one ordinary character.
  struct CharacterStep {
    bool known = false,
         alike = false;  // alike: either all characters above ASCII lead to `next`, or none is taken
    bool others = false;
    State next = GrammarWalker::kDead;
    ByteSet ascii;  // bytes that lead to `next`
    // Where all ordinary characters lead back to the state itself: the kinds of the others. 0: elsewhere.
    TextTokens::Kinds apart_from_row = 0;
  };
  // The same for one character after the other.
  struct TextPath {
    bool exists = false;
    ByteSet first;          // bytes of ASCII that lead along it where it begins
    ByteSet alike;          // and everywhere behind
    bool ascii = false;     // and no other characters do; else all do
    size_t characters = 0;  // at most so many, TextTokens::kMostCharacters: any number
    ByteSet apart;          // bytes of ASCII that some state behind the first takes otherwise
  };
  TextPath find_text(GrammarWalker& walker, State state);
  const CharacterStep& character_step(GrammarWalker& walker, State state);
  CharacterStep find_step(GrammarWalker& walker, State state);
  bool others_lead_to(GrammarWalker& walker, State state, State next);
  bool rest_leads_to(GrammarWalker& walker, State state, int left, State next);
  // Of the tokens that begin with one of these bytes: allows those that can be walked, and no others.
  void walk_beginnings(GrammarWalker& walker, State state, const ByteSet& bytes, TokenMask& mask,
                       Filled& filled);
  // Allows the tokens at some nodes of a tree (whole subtrees below its root) that can be walked; in the tree
  // of all tokens, but for those in Filled::left_out.
  struct Nodes {
    uint32_t begin, end;
  };
  static Nodes all_of(const ByteTree& tree) { return {1, static_cast<uint32_t>(tree.nodes().size() - 1)}; }
  void walk(GrammarWalker& walker, State state, const ByteTree& tree, Nodes nodes, const ByteSet& alphabet,
            TokenMask& mask, Filled& filled);
  // The same for the tokens below a node (from it to its end) that has led to a state, at once; false: it is
  // no such state, and nothing was done.
  bool allow_row(GrammarWalker& walker, State state, Nodes below, TokenMask& mask, Filled& filled);
  void allow_single_bytes(const GrammarWalker& walker, State state, const ByteSet& alphabet, TokenMask& mask);

  const TokenTree& tree_;
  std::vector<State> path_;  // by depth in the tree
  std::vector<std::pair<State, int>> checked_;
  std::vector<CharacterStep> steps_;  // by state
};

}  // namespace ink
