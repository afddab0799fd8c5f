// The grammars a model has answered with lately. A client sends the same tools with every turn: compiling
// them costs milliseconds, and the masks that a grammar has computed (TokenGrammar) are worth more than that.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/result.h"
#include "runtime/grammar_tokens.h"

namespace ink {

class GrammarShelf {
 public:
  using Shared = std::shared_ptr<const TokenGrammar>;
  // The grammar of this key, made if it is not there. Only successes are kept. Safe from any thread; what two
  // want at the same time may be made twice.
  Result<Shared> find_or_make(const std::string& key, const std::function<Result<Shared>()>& make);

 private:
  static constexpr size_t kMost = 8;  // of up to about 15 MB each with their masks
  std::mutex mutex_;
  std::list<std::pair<std::string, Shared>> shelf_;  // the one used last first
};

}  // namespace ink
