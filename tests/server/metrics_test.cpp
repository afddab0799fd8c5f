// The counts as Prometheus reads them.
#include "server/metrics.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <thread>

#include "services/answers/answer.h"

namespace ink::server {
namespace {

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(Metrics, CountsRequestsAnswersAndTokens) {
  Metrics metrics;
  metrics.count_request("/v1/models", "GET", 200, 0.002);
  metrics.count_request("/v1/models", "GET", 200, 7);
  metrics.count_gone("left");
  AnswerUsage usage;
  usage.prompt_tokens = 100;
  usage.cached_tokens = 90;
  usage.completion_tokens = 7;
  usage.generation_seconds = 0.5;
  metrics.count_answer("qwen", usage);
  metrics.count_answer("qwen", usage);
  metrics.count_first_token("qwen", 0.3);
  metrics.add_gauge("cache_pages", "Pages in use.", [] { return 12.0; });
  const std::string text = metrics.text();
  EXPECT_TRUE(has_line(text, R"(inkstone_requests_total{endpoint="/v1/models",method="GET",code="200"} 2)"));
  EXPECT_TRUE(has_line(text, R"(inkstone_request_seconds_bucket{endpoint="/v1/models",le="0.005"} 1)"));
  EXPECT_TRUE(has_line(text, R"(inkstone_request_seconds_bucket{endpoint="/v1/models",le="+Inf"} 2)"));
  EXPECT_TRUE(has_line(text, R"(inkstone_request_seconds_count{endpoint="/v1/models"} 2)"));
  EXPECT_TRUE(has_line(text, R"(inkstone_prompt_tokens_total{model="qwen"} 200)"));
  EXPECT_TRUE(has_line(text, R"(inkstone_cached_tokens_total{model="qwen"} 180)"));
  EXPECT_TRUE(has_line(text, R"(inkstone_generation_seconds_total{model="qwen"} 1)"));
  EXPECT_TRUE(has_line(text, R"(inkstone_first_token_seconds_count{model="qwen"} 1)"));
  EXPECT_TRUE(has_line(text, "inkstone_cache_pages 12"));
  EXPECT_TRUE(has_line(text, "inkstone_bytes_sent_to_other_hosts_total 0"));
  EXPECT_EQ(text.find("resident_memory_bytes 0\n"), std::string::npos);
}

// What is not known is not there: a 0 would be taken for a measurement.
TEST(Metrics, LeavesOutWhatIsNotKnown) {
  Metrics metrics;
  std::optional<double> joules;
  metrics.add_counter("energy_joules_total", "Energy.", [&] { return joules; });
  EXPECT_EQ(metrics.text().find("energy"), std::string::npos);
  joules = 2.5;
  EXPECT_TRUE(has_line(metrics.text(), "# TYPE inkstone_energy_joules_total counter"));
  EXPECT_TRUE(has_line(metrics.text(), "inkstone_energy_joules_total 2.5"));
}

// Each series once, each family announced before its first line: what a strict reader insists on.
TEST(Metrics, IsWellFormed) {
  Metrics metrics;
  metrics.count_request("/a", "GET", 200, 1);
  metrics.count_answer("a \"quoted\\\" name\nin two lines", {});
  std::istringstream lines(metrics.text());
  std::set<std::string> series, families;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) families.insert(line.substr(7, line.find(' ', 7) - 7));
    if (line.starts_with('#')) continue;
    const size_t value = line.rfind(' ');
    ASSERT_NE(value, std::string::npos) << line;
    EXPECT_TRUE(series.insert(line.substr(0, value)).second) << line;
    std::string family = line.substr(0, line.find_first_of("{ "));
    for (const char* ending : {"_bucket", "_sum", "_count"})
      if (family.ends_with(ending)) family.erase(family.size() - std::string(ending).size());
    EXPECT_TRUE(families.contains(family)) << line;
  }
  EXPECT_GT(series.size(), 30u);
  EXPECT_NE(metrics.text().find(R"(model="a \"quoted\\\" name\nin two lines")"), std::string::npos);
}

TEST(Metrics, MayBeUsedFromManyThreads) {
  Metrics metrics;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int j = 0; j < 500; ++j) {
        metrics.count_request("/a", "GET", 200, 0.1);
        ++metrics.running;
        EXPECT_FALSE(j % 100 == 0 && metrics.text().empty());
        --metrics.running;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(
      has_line(metrics.text(), R"(inkstone_requests_total{endpoint="/a",method="GET",code="200"} 2000)"));
}

}  // namespace
}  // namespace ink::server
