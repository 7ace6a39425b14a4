// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {vm} from "./Vm.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

/// @title Gas of whole transactions: base fee of 21,000, calldata and execution, as a receipt shows it
/// @dev Isolation makes every call a transaction of its own. Direct calls, fresh words, head already non-zero (the set-up
/// wrote it). The figures are checked in as snapshots/gas.json; the limits are those of design section 6.
/// forge-config: default.isolate = true
/// forge-config: ci.isolate = true
contract GasTest is RegistryTest {
    uint8 private constant _REASON = 5;

    function test_accredit_gas() public {
        vm.prank(accreditor);
        registry.accredit("did:web:polytechnic.example", controller);
        _record("accredit", 1, 150_000);
    }

    function test_addKey_gas() public {
        _addKey(controller, _consent(ISSUER, newKey, 1, 0), NEW_PK);
        _record("addKey", 1, 90_000);
    }

    function test_anchor_gas() public {
        vm.prank(anchorKey);
        registry.anchor(ISSUER, ROOT, 1000);
        _record("anchor 1,000 credentials", 1, 62_000);
        vm.prank(anchorKey);
        registry.anchor(ISSUER, keccak256("larger"), type(uint32).max);
        _record("anchor 4,294,967,295 credentials", 1, 62_000);
    }

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

    function test_suspendThenReinstate_gas() public {
        vm.prank(statusKey);
        registry.suspend(ISSUER, 0, _words(369), _masks(1 << 103), _REASON);
        _record("suspend 1", 1, 63_000);
        vm.prank(statusKey);
        registry.reinstate(ISSUER, 0, _words(369), _masks(1 << 103), _REASON);
        _record("reinstate 1", 1, 63_000);
    }

    function _revoke(uint16[] memory words, uint256[] memory masks) private {
        vm.prank(statusKey);
        registry.revoke(ISSUER, 0, words, masks, _REASON);
    }

    /// @dev Records the gas of the last transaction, and holds its share of each credential against the limit.
    function _record(string memory name, uint256 count, uint256 limitEach) private {
        uint256 used = vm.lastCallGas().gasTotalUsed;
        vm.assertLe(used, limitEach * count, name);
        vm.snapshotValue("gas", name, used);
    }
}
