import Portunus
import Testing

struct BundleTests {
    /// What is printed of a bundle has no token in it.
    @Test func tokenIsNotPrinted() {
        let bundle = Bundle(clientName: "a", endpoint: "b:1", pin: "c", token: "secret")
        var dumped = ""
        dump(bundle, to: &dumped)
        #expect(!"\(bundle)\(dumped)\(String(reflecting: bundle))".contains("secret"))
    }
}
