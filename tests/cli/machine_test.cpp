// What the system tells about the machine, from folders made for the test: counters that wrap around, parts
// that must not count twice, files that cannot be read.
#include "cli/machine.h"

#include <gtest/gtest.h>

#include <fstream>

namespace ink::cli {
namespace {

namespace fs = std::filesystem;

class Machine : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / "inkstone-machine-test";
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }
  fs::path folder_;
};

TEST_F(Machine, EnergyOfPackagesIsSummedAndWrapsAround) {
  write("intel-rapl:0/energy_uj", "9000000");
  write("intel-rapl:0/max_energy_range_uj", "10000000");
  write("intel-rapl:1/energy_uj", "0");
  write("intel-rapl:1/max_energy_range_uj", "10000000");
  write("intel-rapl:0:0/energy_uj", "0");  // the cores of package 0
  write("intel-rapl:0:0/max_energy_range_uj", "10000000");
  EnergyMeter meter(folder_);
  write("intel-rapl:0/energy_uj", "500000");
  write("intel-rapl:1/energy_uj", "250000");
  write("intel-rapl:0:0/energy_uj", "777");
  EXPECT_DOUBLE_EQ(meter.take().value(), 1.5 + 0.25);
  EXPECT_DOUBLE_EQ(meter.take().value(), 0);
}

TEST_F(Machine, NoCounterGivesNoEnergy) {
  EXPECT_FALSE(EnergyMeter(folder_ / "nowhere").take());
  write("intel-rapl:0/energy_uj", "not a number");
  write("intel-rapl:0/max_energy_range_uj", "10000000");
  EXPECT_FALSE(EnergyMeter(folder_).take());
  write("intel-rapl:0/energy_uj", "1");
  EnergyMeter meter(folder_);
  fs::remove(folder_ / "intel-rapl:0/energy_uj");
  EXPECT_FALSE(meter.take());
}

TEST_F(Machine, EnergyIsSummedOverRounds) {
  EXPECT_FALSE(EnergyTotal(folder_ / "nowhere").read());
  write("intel-rapl:0/energy_uj", "9000000");
  write("intel-rapl:0/max_energy_range_uj", "10000000");
  EnergyTotal total(folder_);
  EXPECT_EQ(total.read().value(), 0);
  for (const char* now : {"9500000", "500000", "9500000", "0"}) {
    write("intel-rapl:0/energy_uj", now);
    total.read();
  }
  EXPECT_DOUBLE_EQ(total.read().value(), 0.5 + 1 + 9 + 0.5);
  write("intel-rapl:0/energy_uj", "");
  EXPECT_FALSE(total.read());
  write("intel-rapl:0/energy_uj", "1000000");
  EXPECT_FALSE(total.read()) << "what was used meanwhile is not known";
}

TEST_F(Machine, LoadOfOthersIsAllThatIsNotIdleOrOurs) {
  write("stat", "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\n");
  LoadMeter meter(folder_ / "stat", 0);
  write("stat", "cpu  0 0 0 900000 900000 0 0 0 900000 0\n");  // idle, waiting, and a guest that is in user
  EXPECT_EQ(meter.take().value(), 0);
  write("stat", "cpu  100000 0 0 900000 900000 0 0 100000 900000 0\n");
  EXPECT_GT(meter.take().value(), 1);
}

TEST_F(Machine, NothingIsSaidWhereNothingIsKnown) {
  EXPECT_FALSE(LoadMeter(folder_ / "nowhere", 0).take());
  write("stat", "cpu  1 2 3");
  EXPECT_FALSE(LoadMeter(folder_ / "stat", 0).take());
  EXPECT_FALSE(LoadMeter("/proc/stat", 3600).take());
  EXPECT_GT(peak_memory_bytes(), 0u);
  EXPECT_FALSE(processor_name().empty());
}

}  // namespace
}  // namespace ink::cli
