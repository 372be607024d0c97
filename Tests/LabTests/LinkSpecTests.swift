import Foundation
import LinkModel
import Testing

@testable import Lab

@Suite("Link specs") struct LinkSpecTests {
    @Test func rateAndDelayHoldBothWays() throws {
        let spec = try LinkSpec("fibre=100/10")
        #expect(spec.name == "fibre")
        #expect(spec.up == LinkShape(megabits: 100, milliseconds: 10))
        #expect(spec.down == spec.up)
        #expect(spec.up.rate == 100_000_000 && spec.up.delay == 10_000_000 && spec.up.queue == 100_000_000)
        #expect(spec.mtu == 1500)
    }

    @Test func everyKeyReachesItsField() throws {
        let spec = try LinkSpec(
            "lte=30/30.5,queue=250,jitter=5,reorder,loss=1%,burst=4,dup=0.02,up.rate=2.5,down.delay=7,mtu=1400"
        )
        var down = LinkShape(rate: 30_000_000, delay: 7_000_000)
        down.queue = 250_000_000
        down.jitter = 5_000_000
        down.reorders = true
        down.loss = 0.01
        down.burst = 4
        down.duplication = 0.02
        #expect(spec.down == down)
        var up = down
        up.rate = 2_500_000
        up.delay = 30_500_000
        #expect(spec.up == up)
        #expect(spec.mtu == 1400)
    }

    @Test func whatRealLinksDoReachesItsField() throws {
        let spec = try LinkSpec(
            "lte=30/30,queue=64.5kB,lag=20,grants=5-15,police=20/60,up.handover=120/15000,down.outage=2000/9000"
        )
        var shape = LinkShape(megabits: 30, milliseconds: 30)
        shape.queueBytes = 64_500
        shape.lag = 20_000_000
        shape.grants = 5_000_000...15_000_000
        shape.policer = Policer(rate: 20_000_000, burst: 60_000)
        var (up, down) = (shape, shape)
        up.handover = Recurrence(length: 120_000_000, every: 15_000_000_000)
        down.outage = Recurrence(length: 2_000_000_000, every: 9_000_000_000)
        #expect(spec.up == up && spec.down == down)
        var plain = spec
        try plain.apply("queue=100,lag=0,grants=no,police=no,handover=no,outage=no")
        #expect(plain.up == LinkShape(megabits: 30, milliseconds: 30) && plain.down == plain.up)
    }

    @Test func tracesComeFromFiles() throws {
        let path = "/tmp/trace-\(getpid())"
        defer { unlink(path) }
        try "second,a,b\n0,10,1\n1,20,2\n".write(toFile: path, atomically: true, encoding: .utf8)
        let spec = try LinkSpec("att=5/33,down.trace=\(path):a*0.4,queue=300")
        #expect(spec.down.trace == RateTrace(rates: [4_000_000, 8_000_000]))
        #expect(spec.up.trace == nil && spec.up.rate == 5_000_000)
        #expect(try LinkSpec("att=5/33,trace=\(path):a,rate=7").up.trace == nil)
        let drive = try RecordedDrive(path: path, scale: 0.5)
        #expect(drive.links.map(\.name) == ["a", "b"])
        #expect(drive.links[0].down.trace == RateTrace(rates: [5_000_000, 10_000_000]))
        #expect(drive.links[0].up.rate == 1_500_000)
        for (option, reason) in [
            ("trace=\(path):c", "there is no column 'c'; there are a, b"),
            ("trace=\(path)", "line 1: an opportunity"),
            ("trace=\(path).none", "cannot be read"), ("trace=\(path):a*", "*SCALE after it"),
            ("trace=\(path):a*0", "*SCALE after it"), ("trace=:a", "*SCALE after it"),
        ] {
            do throws(LabError) {
                Issue.record("\(try LinkSpec("a=1/1,\(option)"))")
            } catch {
                #expect(error.description.contains(reason), "\(error)")
            }
        }
    }

    @Test func unlimitedIsZero() throws {
        #expect(try LinkSpec("a=inf/0").up.rate == 0)
        #expect(try LinkSpec("a=10/0,down.rate=inf").down.rate == 0)
    }

    @Test func laterOptionsWin() throws {
        #expect(try LinkSpec("a=1/1,loss=1%,loss=2%,reorder,reorder=no").up.loss == 0.02)
        #expect(try !LinkSpec("a=1/1,reorder,reorder=no").up.reorders)
    }

    @Test(arguments: [
        "", "fibre", "fibre=", "fibre=100", "=100/10", "fibre=100/10/3", "fibre=100/-1", "fibre=0/1",
        "fibre=nan/1", "fibre=0x10/1", "fibre=1e3/1", "fibre=/", "fibre=1/1,", "fibre=1/1,loss",
        "fibre=1/1,loss=",
        "fibre=1/1,loss=2", "fibre=1/1,loss=101%", "fibre=1/1,burst=0.5", "fibre=1/1,mtu=100",
        "fibre=1/1,mtu=9000",
        "fibre=1/1,up.mtu=1400", "fibre=1/1,colour=red", "fibre=1/1,left.rate=3", "fibre=1/1,reorder=maybe",
        "fibre=1/70000", "fibre=999999/1", "lo=1/1", "a b=1/1", "a/b=1/1", "sixteen-letters-=1/1", "ä=1/1",
        "fibre=1/1,burst=1,loss=60%", "fibre=1/1,queue=kB", "fibre=1/1,queue=0kB", "fibre=1/1,queue=1MB",
        "fibre=1/1,police=20", "fibre=1/1,police=20/", "fibre=1/1,police=0/60", "fibre=1/1,police=20/60/1",
        "fibre=1/1,grants=15-5", "fibre=1/1,grants=0", "fibre=1/1,grants=1-2-3", "fibre=1/1,grants=",
        "fibre=1/1,handover=100", "fibre=1/1,handover=100/100", "fibre=1/1,handover=0/100",
        "fibre=1/1,outage=200/100",
        "fibre=1/1,outage=1/2/3", "fibre=1/1,lag=-1",
    ])
    func nonsenseIsRefusedInOneSentence(_ text: String) {
        do throws(LabError) {
            let spec = try LinkSpec(text)
            Issue.record("'\(text)' was read as \(spec)")
        } catch {
            guard case .badSpec = error else { Issue.record("threw \(error)"); return }
            #expect(error.description.hasSuffix(".") && !error.description.contains("\n"))
        }
    }

    @Test func aChangeThatFailsHalfwayChangesNothing() throws {
        var spec = try LinkSpec("a=10/10")
        let before = spec
        #expect(throws: LabError.self) { try spec.apply("loss=5%,rate=x") }
        #expect(spec == before)
        try spec.apply("loss=5%,up.rate=1")
        #expect(spec.up.loss == 0.05 && spec.down.loss == 0.05)
        #expect(spec.up.rate == 1_000_000 && spec.down.rate == 10_000_000)
    }

    @Test func consoleLines() throws {
        #expect(try LinkCommand("  ") == nil)
        #expect(
            try LinkCommand("set fibre loss=5%,up.rate=10")
                == .set(link: "fibre", options: "loss=5%,up.rate=10"))
        #expect(try LinkCommand("down fibre") == .down(link: "fibre"))
        #expect(try LinkCommand("up fibre") == .up(link: "fibre"))
        #expect(try LinkCommand("carrier fibre off\r") == .carrier(link: "fibre", on: false))
        #expect(try LinkCommand("unplug lte") == .unplug(link: "lte"))
        #expect(try LinkCommand("quit") == .quit)
        for line in ["fly", "set fibre", "carrier fibre maybe", "down", "up a b"] {
            #expect(throws: LabError.self) { try LinkCommand(line) }
        }
    }
}
