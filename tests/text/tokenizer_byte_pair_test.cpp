// Merging against its plain definition, on random vocabularies and on long words.
#include <gtest/gtest.h>

#include <ctime>
#include <random>

#include "tests/text/tokenizer_golden.h"
#include "tests/text/tokenizer_small.h"
#include "text/byte_pair.h"

namespace ink {
namespace {

using Ids = std::vector<int32_t>;

// The definition: start with bytes, merge the pair of the lowest rank, the leftmost of equals, until none
// can.
Ids merge_plainly(std::string_view word, const VocabularyTable& table, const std::vector<Merge>& merges) {
  Ids ids;
  for (size_t i = 0; i < word.size(); ++i) ids.push_back(table.find(word.substr(i, 1)));
  while (true) {
    size_t best_rank = merges.size();
    size_t best = 0;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      for (size_t rank = 0; rank < best_rank; ++rank) {
        if (merges[rank].left == ids[i] && merges[rank].right == ids[i + 1]) best = i, best_rank = rank;
      }
    }
    if (best_rank == merges.size()) return ids;
    ids[best] = merges[best_rank].merged;
    ids.erase(ids.begin() + static_cast<ptrdiff_t>(best) + 1);
  }
}

// Random merges of tokens that exist by then. `shuffled`: the ranks are mixed afterwards, so that a merge can
// have a lower rank than the making of its halves.
struct RandomVocabulary {
  VocabularyTable table;
  std::vector<Merge> merges;
  std::vector<std::string> alphabet;  // pieces to make words of

  RandomVocabulary(std::mt19937& random, bool shuffled) {
    // Characters that share lead and tail bytes, so that merges across their boundaries are frequent.
    alphabet = {"你", "使", "你", "也", "丹", "é", "ê", "o", " ", "😀", "\xe4", "\xbd", "\xa0"};
    std::vector<std::string> tokens;
    for (int byte = 0; byte < 256; ++byte) tokens.push_back(std::string(1, static_cast<char>(byte)));
    std::vector<std::pair<std::string, std::string>> pairs;
    while (pairs.size() < 60) {
      std::string text;
      for (int i = 0; i < 4; ++i) text += alphabet[random() % alphabet.size()];
      const size_t start = random() % text.size();
      const size_t middle = start + 1 + random() % 4;
      const size_t end = middle + 1 + random() % 4;
      if (end > text.size()) continue;
      const std::string left = text.substr(start, middle - start);
      const std::string right = text.substr(middle, end - middle);
      const auto known = [&](const std::string& t) {
        return std::find(tokens.begin(), tokens.end(), t) != tokens.end();
      };
      const std::pair pair(left, right);
      if (!known(left) || !known(right) || std::find(pairs.begin(), pairs.end(), pair) != pairs.end())
        continue;
      if (!known(left + right)) tokens.push_back(left + right);
      pairs.push_back(pair);
    }
    if (shuffled) std::shuffle(pairs.begin(), pairs.end(), random);
    table.reserve(tokens.size(), 4096);
    for (const std::string& token : tokens) table.add(token, true);
    table.finish();
    for (const auto& [left, right] : pairs)
      merges.push_back({table.find(left), table.find(right), table.find(left + right)});
  }
};

TEST(BytePair, EqualsThePlainDefinitionOnRandomVocabularies) {
  std::mt19937 random(20251123);
  for (int round = 0; round < 400; ++round) {
    const RandomVocabulary vocabulary(random, round % 4 == 3);
    const BytePair byte_pair(vocabulary.table, vocabulary.merges);
    BytePair::Scratch scratch;
    for (int i = 0; i < 40; ++i) {
      std::string word;
      const size_t pieces = i % 10 == 0 ? 60 : 1 + random() % 8;  // 60: longer than the array of few symbols
      for (size_t piece = 0; piece < pieces; ++piece)
        word += vocabulary.alphabet[random() % vocabulary.alphabet.size()];
      Ids ids;
      byte_pair.encode(word, ids, scratch);
      ASSERT_EQ(ids, merge_plainly(word, vocabulary.table, vocabulary.merges))
          << "round " << round << " word " << testing::letters_of(word);
    }
  }
}

// Quadratic work on a million bytes would be a matter of hours.
TEST(BytePair, LongWordsStayLinear) {
  const Tokenizer& tokenizer = testing::golden_tokenizer();
  for (const std::string unit : {"a", " ", "啊", "!", "\n", "ab", "e\u0301", "\u0301\u0316", "\xe4", "😀"}) {
    std::string text;
    while (text.size() < 1'000'000) text += unit;
    const std::clock_t start = std::clock();
    const Ids ids = tokenizer.encode(text);
    EXPECT_LT(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC, 20) << unit;
    if (unit != "e\u0301" && unit != "\u0301\u0316") {
      EXPECT_EQ(tokenizer.decode(ids, false), text);
    }
  }
}

}  // namespace
}  // namespace ink
