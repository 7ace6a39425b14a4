// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {SCOPE_STATUS} from "../src/interfaces/ICredentialRegistry.sol";
import {vm} from "./Vm.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {Relay, RelayedCall, RelayedCalls} from "./support/RelayedCall.sol";

/// @title Gas of whole transactions: base fee of 21,000, calldata and execution, as a receipt shows it
/// @dev Isolation makes every call a transaction of its own. Direct calls, fresh words, head already non-zero (the set-up
/// wrote it), nonces zero unless a name says otherwise. The figures are checked in as snapshots/gas.json; the limits of
/// anchoring and revoking are those of design section 6, the others leave a few per cent for a later compiler.
/// forge-config: default.isolate = true
/// forge-config: ci.isolate = true
contract GasTest is RegistryTest {
    using RelayedCalls for RelayedCall;

    uint8 private constant _REASON = 5;

    /* ACCREDITOR AND CONTROLLER */

    function test_accredit_gas() public {
        vm.prank(accreditor);
        registry.accredit("did:web:polytechnic.example", controller);
        _record("accredit", 1, 140_000);
    }

    function test_withdraw_gas() public {
        vm.prank(accreditor);
        registry.withdraw(ISSUER, START + 1 days, _REASON);
        _record("withdraw", 1, 50_000);
    }

    function test_addKey_gas() public {
        _addKey(controller, _consent(ISSUER, newKey, 1, 0), NEW_PK);
        _record("addKey", 1, 70_000);
    }

    function test_retireKey_gas() public {
        vm.prank(controller);
        registry.retireKey(anchorKey);
        _record("retireKey", 1, 41_000);
    }

    /// The first change of epochs is the dearest: it writes a fresh slot.
    function test_compromiseKey_gas() public {
        vm.prank(controller);
        registry.compromiseKey(anchorKey, START);
        _record("compromiseKey, ANCHOR", 1, 41_000);
        vm.prank(controller);
        registry.compromiseKey(statusKey, START);
        _record("compromiseKey, STATUS: first change of epochs", 1, 75_000);
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 1), NEW_PK);
        vm.prank(controller);
        registry.compromiseKey(newKey, START);
        _record("compromiseKey, STATUS: later change of epochs", 1, 58_000);
    }

    function test_transferController_gas() public {
        vm.prank(controller);
        registry.transferController(ISSUER, stranger);
        _record("transferController", 1, 60_000);
        vm.prank(stranger);
        registry.acceptController(ISSUER);
        _record("acceptController", 1, 45_000);
    }

    function test_cancelNonces_gas() public {
        vm.prank(statusKey);
        registry.cancelNonces(statusKey, 7);
        _record("cancelNonces", 1, 60_000);
    }

    /* ANCHOR KEY */

    function test_anchor_gas() public {
        vm.prank(anchorKey);
        registry.anchor(ISSUER, ROOT, 1000);
        _record("anchor 1,000 credentials", 1, 62_000);
        vm.prank(anchorKey);
        registry.anchor(ISSUER, keccak256("larger"), type(uint32).max);
        _record("anchor 4,294,967,295 credentials", 1, 62_000);
    }

    function test_anchorByBareRoot_gas() public {
        vm.prank(anchorKey);
        (bool good,) = address(registry).call(bytes.concat(ROOT));
        vm.assertTrue(good);
        _record("anchor by bare root", 1, 62_000);
    }

    function test_anchorBySig_gas() public {
        RelayedCall memory call;
        call.relay = Relay.ANCHOR;
        call.key = anchorKey;
        call.issuer = ISSUER;
        call.root = ROOT;
        call.size = 1000;
        _relay(call, ANCHOR_PK);
        _record("anchorBySig 1,000 credentials", 1, 95_000);
    }

    /* STATUS KEY */

    function test_revokeOne_gas() public {
        _revoke(_words(369), _masks(1 << 103));
        _record("revoke 1", 1, 63_000);
    }

    function test_revoke100Scattered_gas() public {
        uint16[] memory words = new uint16[](100);
        uint256[] memory masks = new uint256[](100);
        for (uint256 i = 0; i < 100; ++i) {
            words[i] = uint16(i * 5 + 7);
            masks[i] = 1 << ((i * 89) % 256);
        }
        _revoke(words, masks);
        _record("revoke 100 scattered", 100, 25_000);
    }

    /// Across a word's edge: the dearer case.
    function test_revoke100Adjacent_gas() public {
        _revoke(_words(7, 8), _masks(type(uint256).max << 206, (1 << 50) - 1));
        _record("revoke 100 adjacent", 100, 1000);
    }

    function test_revokeFullList_gas() public {
        uint16[] memory words = new uint16[](512);
        uint256[] memory masks = new uint256[](512);
        for (uint16 i = 0; i < 512; ++i) {
            words[i] = i;
            masks[i] = type(uint256).max;
        }
        _revoke(words, masks);
        _record("revoke 131,072 (full list)", 131_072, 100);
    }

    /// A key's first relayed call is the dearest: it writes the fresh slot of its nonce.
    function test_revokeBySig_gas() public {
        RelayedCall memory call;
        call.relay = Relay.REVOKE;
        call.key = statusKey;
        call.issuer = ISSUER;
        call.words = _words(369);
        call.masks = _masks(1 << 103);
        call.reason = _REASON;
        _relay(call, STATUS_PK);
        _record("revokeBySig 1, first nonce of the key", 1, 98_000);
        call.words = _words(370);
        call.nonce = 1;
        _relay(call, STATUS_PK);
        _record("revokeBySig 1", 1, 81_000);
    }

    function test_revokeBatch_gas() public {
        _anchor(anchorKey, ISSUER, ROOT, 1000);
        vm.prank(statusKey);
        registry.revokeBatch(ISSUER, ROOT, _REASON);
        _record("revokeBatch", 1, 45_000);
    }

    /// Above the limit of a revocation: these use a nonce, so that a signature held back cannot undo a later decision. It
    /// costs 22,200 the first time, and 5,100 from then on.
    function test_suspendThenReinstate_gas() public {
        _suspend(369);
        _record("suspend 1, first nonce of the key", 1, 86_000);
        _suspend(370);
        _record("suspend 1", 1, 69_000);
        vm.prank(statusKey);
        registry.reinstate(ISSUER, 0, _words(369), _masks(1 << 103), _REASON);
        _record("reinstate 1", 1, 50_000);
    }

    /* VERIFICATION */

    /// As a transaction, though other contracts call it: without the 21,000 and the calldata it is theirs.
    function test_verify_gas() public {
        (bytes32 salt, bytes32 credentialHash) = (keccak256("salt"), keccak256("credential"));
        (uint32 list, uint32 statusIndex, uint32 leafIndex) = (4, 94_567, 0x15555);
        bytes32[] memory path = new bytes32[](17);
        bytes32 root = sha256(abi.encodePacked(bytes1(0), salt, list, statusIndex, credentialHash));
        for (uint256 level = 0; level < path.length; ++level) {
            path[level] = keccak256(abi.encode("sibling", level));
            bool isRight = (leafIndex >> level) & 1 == 1;
            root = isRight ? sha256(abi.encodePacked(path[level], root)) : sha256(abi.encodePacked(root, path[level]));
        }
        _anchor(anchorKey, ISSUER, root, 131_072);
        registry.verify(ISSUER, root, salt, list, statusIndex, credentialHash, leafIndex, path);
        _record("verify, path of 17", 1, 60_000);
    }

    /* ACTIONS */

    function _revoke(uint16[] memory words, uint256[] memory masks) private {
        vm.prank(statusKey);
        registry.revoke(ISSUER, 0, words, masks, _REASON);
    }

    function _suspend(uint16 word) private {
        vm.prank(statusKey);
        registry.suspend(ISSUER, 0, _words(word), _masks(1 << 103), _REASON);
    }

    /// @dev With an ECDSA signature.
    function _relay(RelayedCall memory call, uint256 privateKey) private {
        call.deadline = START + 600;
        bytes memory signature = call.sign(privateKey, block.chainid, address(registry));
        vm.prank(stranger);
        call.send(registry, signature);
    }

    /// @dev Records the gas of the last transaction, and holds its share of each credential against the limit.
    function _record(string memory name, uint256 count, uint256 limitEach) private {
        uint256 used = vm.lastCallGas().gasTotalUsed;
        vm.assertLe(used, limitEach * count, name);
        vm.snapshotValue("gas", name, used);
    }
}
