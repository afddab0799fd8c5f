// Constrained generation: which tokens may come next so that the answer belongs to a grammar. One object per
// generation, cheap to make; the grammar behind it is shared. A session does all of this when
// GenerationOptions::constraint is set.
//
//   auto grammar = compile_tools(tools, {});                                   // once per set of tools
//   auto tree = TokenTree::create(tokenizer);                                  // once per vocabulary
//   auto shared = TokenGrammar::create(std::move(*grammar), tree);
//   auto constraint = Constraint::create(shared, {.request = "turn off the kitchen light"});
//   options.constraint = constraint->get();
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "runtime/grammar_tokens.h"
#include "runtime/token_mask.h"

namespace ink {

struct ConstraintOptions {
  std::string request = {};       // the user's own words (UTF-8): what "copied" strings are pieces of
  int64_t max_reply_tokens = -1;  // after so many tokens a reply has to end; -1: no limit, else at least 1
};

class Constraint {
 public:
  // Errors: kInvalid when nothing at all could be generated (a call is required and each tool needs a piece
  // of a request that has none) or for a max_reply_tokens of 0; kTooLarge for a request above 64 KiB.
  static Result<std::unique_ptr<Constraint>> create(std::shared_ptr<const TokenGrammar> grammar,
                                                    const ConstraintOptions& options);
  ~Constraint();

  // The tokens that may come next. End-of-turn tokens are not among them: can_stop() tells about those. When
  // it may not stop, at least one token is allowed. Valid until the next call of accept or reset.
  const TokenMask& allowed();
  bool can_stop() const;  // the answer so far is whole
  // The token that comes next because no other may, and the answer may not end here. It saves a step of
  // the model: several forced tokens are fed at once.
  std::optional<int32_t> forced();
  bool must_stop();  // the answer is whole and nothing may follow

  // The answer goes on with this token. False, and nothing has changed, when it is not allowed.
  bool accept(int32_t id);
  void reset();  // back to the beginning of the answer

  const Tokenizer& tokenizer() const;

 private:
  class Walk;
  explicit Constraint(std::unique_ptr<Walk> walk);
  std::unique_ptr<Walk> walk_;
};

}  // namespace ink
