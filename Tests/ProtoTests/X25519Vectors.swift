/// X25519 vectors of RFC 7748 and of Wycheproof (x25519_test.json, by the numbers of its cases).
enum X25519Vectors {
    /// RFC 7748 section 5.2; Wycheproof 20, 22, 25, 27, 31 (public key on the twist), 34, 38, 43, 46, 48, 51,
    /// 52 (edges of the field).
    static let agreements = """
        private a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4
        public e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c
        shared c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552

        private 4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d
        public e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493
        shared 95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957

        public ffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f0000
        private d88a441e706f606ae7f630f8b21f3c2554739e3e549f804118c03771f608017b
        shared ff1b509a0a1a54726086f1e1c0acf040ab463a2a542e5d54e92c6df8126cf636

        public ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff1f
        private 68e134092e94e622c8a0cd18aff55be23dabd994ebdee982d90601f6f0f4b369
        shared 74bfc15e5597e9f5193f941e10a5c008fc89f051392723886a4a8fe5093a7354

        public ffffffffffffff00000000000000ffffffffffffff00000000000000ffffff7f
        private 300305eb002bf86c71fe9c0b311993727b9dc618d0ce7251d0dfd8552d17905d
        shared f8624d6e35e6c548ac47832f2e5d151a8e53b9290363b28d2ab8d84ab7cb6a72

        public edfffffffffffffffffffffffffffeffffffffffffffffffffffffffffffff7f
        private 806e7f26ca3246de8182946cbed09f52b95da626c823c7b50450001a47b7b252
        shared bca4a0724f5c1feb184078448c898c8620e7caf81f64cca746f557dff2498859

        public eaffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
        private d02456e456911d3c6cd054933199807732dfdc958642ad1aebe900c793bef24a
        shared 07ba5fcbda21a9a17845c401492b10e6de0a168d5c94b606694c11bac39bea41

        public 0400000000000000000000000000000000000000000000000000000000000000
        private a8386f7f16c50731d64f82e6a170b142a4e34f31fd7768fcb8902925e7d1e25a
        shared 34b7e4fa53264420d9f943d15513902342b386b172a0b0b7c8b8f2dd3d669f59

        public ffffffffffff0f00000000000000000000000000000000000000000000000000
        private 385fc8058900a85021dd92425d2fb39a62d4e23aef1d5104c4c2d88712d39e4d
        shared 388faffb4a85d06702ba3e479c6b216a8f33efce0542979bf129d860f93b9f02

        public ffffffffffffffffffffffffffffffff00000000000000000000000000000000
        private a806f1e39b742615a7dde3b29415ed827c68f07d4a47a4d9595c40c7fccb9263
        shared 56128e78d7c66f48e863e7e6f2caa9c0988fd439deac11d4aac9664083087f7a

        public ffffffff00000000ffffffff00000000ffffffff00000000ffffffff00000000
        private a0933ee30512b25ee4e900aaa07f73e507a8ec53b53a44626e0f589af4e0356c
        shared c5caf8cabc36f086deaf1ab226434098c222abdf8acd3ce75c75e9debb271524

        public ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff03
        private 182191b7052e9cd630ef08007fc6b43bc7652913be6774e2fd271b71b962a641
        shared a0e0315175788362d4ebe05e6ac76d52d40187bd687492af05abc7ba7c70197d

        public ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff3f
        private a8f37318a4c760f3cb2d894822918735683cb1edacf3e666e15694154978fd6d
        shared d151b97cba9c25d48e6d576338b97d53dd8b25e84f65f7a2091a17016317c553

        public edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff5f
        private 20d4d624cf732f826f09e8088017742f13f2da98f4dcf4b40519adb790cebf64
        shared 5716296baf2b1a6b9cd15b23ba86829743d60b0396569be1d5b40014c06b477d
        """

    /// Wycheproof 87 to 97: public keys that are not reduced, or have the ignored bit set.
    static let nonCanonical = """
        public efffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
        private 0016b62af5cabde8c40938ebf2108e05d27fa0533ed85d70015ad4ad39762d54
        shared b4d10e832714972f96bd3382e4d082a21a8333a16315b3ffb536061d2482360d

        public f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
        private d83650ba7cec115881916255e3fa5fa0d6b8dcf968731bd2c9d2aec3f561f649
        shared 515eac8f1ed0b00c70762322c3ef86716cd2c51fe77cec3d31b6388bc6eea336

        public f1ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
        private 88dd14e2711ebd0b0026c651264ca965e7e3da5082789fbab7e24425e7b4377e
        shared 6919992d6a591e77b3f2bacbd74caf3aea4be4802b18b2bc07eb09ade3ad6662

        public ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
        private 98c2b08cbac14e15953154e3b558d42bb1268a365b0ef2f22725129d8ac5cb7f
        shared 9c034fcd8d3bf69964958c0105161fcb5d1ea5b8f8abb371491e42a7684c2322

        public 0200000000000000000000000000000000000000000000000000000000000080
        private c0697b6f05e0f3433b44ea352f20508eb0623098a7770853af5ca09727340c4e
        shared ed18b06da512cab63f22d2d51d77d99facd3c4502e4abf4e97b094c20a9ddf10

        public 0300000000000000000000000000000000000000000000000000000000000080
        private 18422b58a18e0f4519b7a887b8cfb649e0bfe4b34d75963350a9944e5b7f5b7e
        shared 448ce410fffc7e6149c5abec0ad5f3607dfde8a34e2ac3243c3009176168b432

        public 0400000000000000000000000000000000000000000000000000000000000080
        private 20620d82487707bedf9ee3549e95cb9390d2618f50cf6acba47ffaa103224a6f
        shared 03a633df01480d0d5048d92f51b20dc1d11f73e9515c699429b90a4f6903122a

        public daffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
        private 285a6a7ceeb7122f2c78d99c53b2a902b490892f7dff326f89d12673c3101b53
        shared 9b01287717d72f4cfb583ec85f8f936849b17d978dbae7b837db56a62f100a68

        public dbffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
        private c8e0330ae9dceeff887fba761225879a4bd2e0db08799244136e4721b2c88970
        shared dfe60831c9f4f96c816e51048804dbdc27795d760eced75ef575cbe3b464054b

        public dcffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
        private 10db6210fc1fb13382472fa1787b004b5d11868ab3a79510e0cee30f4a6df26b
        shared 50bfa826ca77036dd2bbfd092c3f78e2e4a1f980d7c8e78f2f14dca3cce5cc3c

        public eaffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
        private 9041c6e044a277df8466275ca8b5ee0da7bc028648054ade5c592add3057474e
        shared 13da5695a4c206115409b5277a934782fe985fa050bc902cba5616f9156fe277
        """

    /// Wycheproof 32, 33 and 68 to 82: public keys of small order, also written in other ways.
    static let smallOrder = """
        public 0000000000000000000000000000000000000000000000000000000000000000
        private 88227494038f2bb811d47805bcdf04a2ac585ada7f2f23389bfd4658f9ddd45e

        public 0100000000000000000000000000000000000000000000000000000000000000
        private 48232e8972b61c7e61930eb9450b5070eae1c670475685541f0476217e48184f

        public ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
        private 2064b2f4c9dc97ec7cf58932fdfa3265ba6ea4d11f0259b8efc8afb35db88c48
        """

    /// The private key of all of 69 to 82.
    static let smallOrderPrivate = "786a33a4f7af297a20e7642925932bf509e7070fa1bc36986af1eb13f4f50b55"

    static let smallOrderPublics = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ]
}
