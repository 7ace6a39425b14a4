// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IRegistryErrors} from "../src/interfaces/IRegistryErrors.sol";
import {IRegistryEvents} from "../src/interfaces/IRegistryEvents.sol";
import {vm} from "./Vm.sol";
import {StatusTest} from "./support/StatusTest.sol";

/// @title Suspension and reinstatement
/// @dev What is refused alike in all three calls is in CredentialRegistry.status.t.sol.
contract SuspendTest is StatusTest {
    function test_suspend_setsOneBit() public {
        bytes32 head = _expectedHead("CredentialsSuspended", 0, _words(2), _masks(1 << 9));
        vm.expectEmit(true, true, true, true, address(registry));
        emit IRegistryEvents.CredentialsSuspended(
            ISSUER, LIST, 0, _words(2), _masks(1 << 9), REASON, statusKey, START, head
        );
        _suspend(_words(2), _masks(1 << 9));
        vm.assertTrue(registry.isSuspended(ISSUER, LIST, 521));
        vm.assertFalse(registry.isSuspended(ISSUER, LIST, 520));
        vm.assertFalse(registry.isRevoked(ISSUER, LIST, 521));
        _audit();
    }

    function test_reinstate_clearsOnlyItsBits() public {
        _suspend(_words(2), _masks(6));
        _revoke(_words(2), _masks(4));
        bytes32 head = _expectedHead("CredentialsReinstated", 0, _words(2), _masks(4));
        vm.expectEmit(true, true, true, true, address(registry));
        emit IRegistryEvents.CredentialsReinstated(
            ISSUER, LIST, 0, _words(2), _masks(4), REASON, statusKey, START, head
        );
        _reinstate(_words(2), _masks(4 | 1));
        vm.assertFalse(registry.isSuspended(ISSUER, LIST, 514));
        vm.assertTrue(registry.isSuspended(ISSUER, LIST, 513));
        vm.assertTrue(registry.isRevoked(ISSUER, LIST, 514));
        _audit();
    }

    function test_suspend_againAfterReinstatement() public {
        _suspend(_words(2), _masks(1));
        _reinstate(_words(2), _masks(1));
        _suspend(_words(2), _masks(1));
        vm.assertTrue(registry.isSuspended(ISSUER, LIST, 512));
        _audit();
    }

    function test_suspend_revertsWithNothingChanges() public {
        _suspend(_words(3), _masks(7));
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NothingChanges.selector, LIST, 3));
        _suspend(_words(3), _masks(7));
    }

    /// A revocation cannot be lifted this way either.
    function test_reinstate_revertsWithNothingChanges() public {
        _revoke(_words(3), _masks(7));
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NothingChanges.selector, LIST, 3));
        _reinstate(_words(3), _masks(7));
    }
}
