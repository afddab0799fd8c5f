// How fast the tokenizer is, alone; bench/tokenizer/run.py sets it beside the reference.
//   tokenizer_bench TOKENIZER_JSON TEXT [ROUNDS] [IDS_OUT]
// Documents in TEXT are separated by a line of one form feed. Prints one JSON object: the best of ROUNDS for
// loading, for encoding the text in one call, document by document, and for decoding; with IDS_OUT, writes
// the ids of the whole text as little-endian int32 for comparison.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace {

std::string read(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Resident memory in KiB, as the kernel counts it.
long resident_kib() {
  std::ifstream file("/proc/self/statm");
  long total = 0, resident = 0;
  file >> total >> resident;
  return resident * 4;
}

// Processor time, not wall time: the comparison must hold on a machine that does other things, too.
double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

template <typename Work>
double best_seconds(int rounds, Work work) {
  double best = std::numeric_limits<double>::infinity();
  for (int round = 0; round < rounds; ++round) {
    const double start = processor_seconds();
    work();
    best = std::min(best, processor_seconds() - start);
  }
  return best;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + separator.size());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: tokenizer_bench TOKENIZER_JSON TEXT [ROUNDS] [IDS_OUT]\n");
    return 2;
  }
  const std::string json = read(argv[1]);
  const std::string text = read(argv[2]);
  const int rounds = argc > 3 ? std::max(1, std::atoi(argv[3])) : 3;
  const std::vector<std::string_view> documents = split(text, "\n\f\n");

  const long before_kib = resident_kib();
  auto loaded = ink::Tokenizer::from_json(json, argv[1]);
  if (!loaded) {
    std::fprintf(stderr, "%s\n", loaded.error().message().c_str());
    return 1;
  }
  const long after_kib = resident_kib();
  const ink::Tokenizer tokenizer = *loaded;
  const double load = best_seconds(rounds, [&] { loaded = ink::Tokenizer::from_json(json, argv[1]); });

  std::vector<int32_t> ids;
  const double whole = best_seconds(rounds, [&] { ids = tokenizer.encode(text); });
  size_t document_ids = 0;
  const double by_document = best_seconds(rounds, [&] {
    document_ids = 0;
    for (const std::string_view document : documents) document_ids += tokenizer.encode(document).size();
  });
  std::string decoded;
  const double decode = best_seconds(rounds, [&] { decoded = tokenizer.decode(ids, false); });

  std::printf(
      "{\"bytes\": %zu, \"ids\": %zu, \"documents\": %zu, \"document_ids\": %zu, \"load_s\": %.6f, "
      "\"resident_added_kib\": %ld, \"whole_s\": %.6f, \"documents_s\": %.6f, \"decode_s\": %.6f}\n",
      text.size(), ids.size(), documents.size(), document_ids, load, after_kib - before_kib, whole,
      by_document, decode);
  if (argc > 4) {
    std::ofstream out(argv[4], std::ios::binary);
    out.write(reinterpret_cast<const char*>(ids.data()), static_cast<std::streamsize>(ids.size() * 4));
  }
  return 0;
}
