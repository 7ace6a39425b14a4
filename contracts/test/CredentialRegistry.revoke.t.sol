// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {SCOPE_STATUS} from "../src/interfaces/ICredentialRegistry.sol";
import {IRegistryErrors} from "../src/interfaces/IRegistryErrors.sol";
import {IRegistryEvents} from "../src/interfaces/IRegistryEvents.sol";
import {vm} from "./Vm.sol";
import {StatusTest} from "./support/StatusTest.sol";

/// @dev What is refused alike in all three calls is in CredentialRegistry.status.t.sol.
contract RevokeTest is StatusTest {
    function test_revoke_setsOneBit() public {
        // Index 94,567 = 369 * 256 + 103.
        _revoke(_words(369), _masks(1 << 103));
        vm.assertTrue(registry.isRevoked(ISSUER, LIST, 94_567));
        vm.assertFalse(registry.isRevoked(ISSUER, LIST, 94_566));
        vm.assertFalse(registry.isRevoked(ISSUER, LIST, 94_568));
        vm.assertFalse(registry.isSuspended(ISSUER, LIST, 94_567));
        vm.assertFalse(registry.isRevoked(ISSUER, LIST + 1, 94_567));
        vm.assertFalse(registry.isRevoked(OTHER_ISSUER, LIST, 94_567));
        _audit();
    }

    function test_revoke_reachesBothEndsOfTheList() public {
        _revoke(_words(0, 511), _masks(1, 1 << 255));
        vm.assertTrue(registry.isRevoked(ISSUER, LIST, 0));
        vm.assertTrue(registry.isRevoked(ISSUER, LIST, 131_071));
        _audit();
    }

    function test_revoke_emitsOnlyBitsThatChanged() public {
        _revoke(_words(3), _masks(5));
        bytes32 head = _expectedHead("CredentialsRevoked", 0, _words(3, 9), _masks(2, 12));
        vm.expectEmit(true, true, true, true, address(registry));
        emit IRegistryEvents.CredentialsRevoked(
            ISSUER, LIST, 0, _words(3, 9), _masks(2, 12), REASON, statusKey, START, head
        );
        _revoke(_words(3, 9), _masks(7, 12));
        vm.assertEq(_headOf(ISSUER), head);
        vm.assertTrue(registry.isRevoked(ISSUER, LIST, 3 * 256 + 2));
        _audit();
    }

    function test_revoke_takesAFullList() public {
        (uint16[] memory words, uint256[] memory masks) = _allWords(512);
        _revoke(words, masks);
        vm.assertTrue(registry.isRevoked(ISSUER, LIST, 77_777));
        _audit();
    }

    function test_revoke_ofSuspendedKeepsBoth() public {
        _suspend(_words(1), _masks(1));
        _revoke(_words(1), _masks(1));
        (bool revoked, bool suspended) = registry.statusOf(ISSUER, LIST, 256);
        vm.assertTrue(revoked && suspended);
        _audit();
    }

    /// Withdrawal ends anchoring, not the care for what was issued.
    function test_revoke_goesOnAfterWithdrawal() public {
        _withdraw(ISSUER, 0);
        vm.warp(START + 1);
        _revoke(_words(1), _masks(1));
        vm.assertTrue(registry.isRevoked(ISSUER, LIST, 256));
        _audit();
    }

    /// A staged key prepares the next epoch and leaves the current one alone.
    function test_revoke_writesTheEpochOfItsKey() public {
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 1), NEW_PK);
        vm.prank(newKey);
        registry.revoke(ISSUER, LIST, _words(1), _masks(1), REASON);
        _revoke(_words(1), _masks(2));
        _audit();
        vm.assertFalse(registry.isRevoked(ISSUER, LIST, 256));
        vm.assertTrue(registry.isRevoked(ISSUER, LIST, 257));
        _compromiseKey(controller, statusKey, START);
        vm.assertTrue(registry.isRevoked(ISSUER, LIST, 256));
        vm.assertFalse(registry.isRevoked(ISSUER, LIST, 257));
        _audit();
    }

    function test_revoke_revertsWithNothingChanges() public {
        _revoke(_words(3), _masks(7));
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NothingChanges.selector, LIST, 3));
        _revoke(_words(3), _masks(5));
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NothingChanges.selector, LIST, 3));
        _revoke(_words(2, 3), _masks(1, 5));
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NothingChanges.selector, LIST, 8));
        _revoke(_words(8), _masks(0));
    }
}
